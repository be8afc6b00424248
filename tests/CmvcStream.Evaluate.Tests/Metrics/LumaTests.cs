using CmvcStream.Evaluate.Metrics;

namespace CmvcStream.Evaluate.Tests.Metrics;

public class LumaTests
{
    [Theory]
    [InlineData(0x123456, 46)]
    [InlineData(0xff0000, 76)]
    [InlineData(0x00ff00, 150)]
    [InlineData(0x0000ff, 29)]
    public void FromRgb_KnownColour_IsOpenCvs(int colour, byte expected)
    {
        var luma = new byte[1];
        Luma.FromRgb([(byte)(colour >> 16), (byte)(colour >> 8), (byte)colour], luma);
        Assert.Equal(expected, luma[0]);
    }

    [Fact]
    public void FromRgb_EveryColour_SumsAsOpenCvDoes()
    {
        var rgb = new byte[3 << 16];
        var luma = new byte[1 << 16];
        var sum = 0L;
        for (var red = 0; red < 256; red++)
        {
            for (var i = 0; i < luma.Length; i++)
                (rgb[3 * i], rgb[3 * i + 1], rgb[3 * i + 2]) = ((byte)red, (byte)(i >> 8), (byte)i);
            Luma.FromRgb(rgb, luma);
            for (var i = 0; i < luma.Length; i++)
                sum += luma[i] * (((long)red << 16 | (long)i) % 65521);
        }

        // OpenCV 4.6.0's cvtColor(COLOR_RGB2GRAY), by independent_values.py.
        Assert.Equal(81496601683812, sum);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(17)]
    [InlineData(18)]
    [InlineData(33)]
    [InlineData(34)]
    [InlineData(1000)]
    public void FromRgb_AnyLength_EqualsScalar(int pixels)
    {
        var rgb = MetricPictures.Noise(3, pixels, 9);
        byte[] fast = new byte[pixels], plain = new byte[pixels];
        Luma.FromRgb(rgb, fast);
        Luma.FromRgbScalar(rgb, plain);
        Assert.Equal(plain, fast);
    }

    [Fact]
    public void FromRgb_WrongLength_Throws() => Assert.Throws<ArgumentException>(() => Luma.FromRgb(new byte[10], new byte[3]));
}
