using CmvcStream.Core.Media;
using CmvcStream.Core.Motion;
using Xunit;

namespace CmvcStream.Core.Tests.Motion;

public sealed class ResamplerTests
{
    [Theory]
    [InlineData(240, 135, 480, 270)]
    [InlineData(480, 270, 240, 135)]
    [InlineData(479, 271, 161, 90)]
    [InlineData(16, 16, 4096, 17)]
    [InlineData(320, 180, 160, 360)]
    public void Resample_FlatPicture_StaysFlat(int fromWidth, int fromHeight, int toWidth, int toHeight)
    {
        var source = VideoFrame.Allocate(new(fromWidth, fromHeight));
        source.Fill(200, 90, 17);

        var scaled = Resample(source, new(toWidth, toHeight));

        Assert.All(Pixels(scaled.Y), v => Assert.Equal(200, v));
        Assert.All(Pixels(scaled.U), v => Assert.Equal(90, v));
        Assert.All(Pixels(scaled.V), v => Assert.Equal(17, v));
    }

    [Fact]
    public void Resample_UpAgain_IsSharperThanLinear()
    {
        var large = TestPictures.Texture(new(480, 270));
        var small = Resample(large, new(240, 135));

        Assert.InRange(TestPictures.Psnr(Resample(small, large.Size), large), 33.5, 60);
    }

    [Fact]
    public void Resample_Ramp_StaysInPlace()
    {
        var source = VideoFrame.Allocate(new(100, 20));
        for (var y = 0; y < 20; y++)
            for (var x = 0; x < 100; x++)
                source.Y.Row(y)[x] = (byte)(20 + 2 * x);

        var row = Resample(source, new(200, 20)).Y.Row(10);

        // Pixel x of the large picture is centred at (x + 0.5) / 2 - 0.5 of the small one.
        for (var x = 10; x < 190; x++)
            Assert.InRange(row[x] - (20 + 2 * ((x + 0.5) / 2 - 0.5)), -1, 1);
    }

    [Fact]
    public void Resample_AreaDown_AveragesBlocks()
    {
        var source = TestPictures.Texture(new(64, 64));

        var scaled = Resample(source, new(16, 16));

        var sum = 0;
        for (var y = 8; y < 12; y++)
            for (var x = 20; x < 24; x++)
                sum += source.Y.Row(y)[x];
        Assert.Equal((sum + 8) / 16, scaled.Y.Row(2)[5]);
    }

    [Fact]
    public void Resample_SameSize_CopiesExactly()
    {
        var source = TestPictures.Texture(new(99, 51));

        var copy = Resample(source, source.Size);

        Assert.True(TestPictures.Same(source.Y, copy.Y));
        Assert.True(TestPictures.Same(source.V, copy.V));
    }

    [Fact]
    public void Resample_Sharpened_IsSteeperWithoutHalo()
    {
        // A soft edge from 60 to 180.
        var source = TestPictures.Make(new(60, 40), 0, (_, _) => (0, 0));
        for (var y = 0; y < 40; y++)
            for (var x = 0; x < 60; x++)
                source.Y.Row(y)[x] = (byte)Math.Clamp(60 + (x - 27) * 20, 60, 180);

        var plain = Resample(source, new(120, 80)).Y.Row(40);
        var sharp = Resample(source, new(120, 80), 1.5f).Y.Row(40);

        int lowest = plain.ToArray().Min(), highest = plain.ToArray().Max();
        Assert.All(sharp.ToArray(), v => Assert.InRange(v, lowest, highest));
        Assert.True(Energy(sharp) > Energy(plain));

        static int Energy(ReadOnlySpan<byte> row)
        {
            var sum = 0;
            for (var x = 1; x < row.Length; x++)
                sum += (row[x] - row[x - 1]) * (row[x] - row[x - 1]);
            return sum;
        }
    }

    [Fact]
    public void Resample_Timestamp_GoesAlong()
    {
        var source = VideoFrame.Allocate(new(32, 32));
        source.Pts = MediaTime.FromSeconds(3);

        Assert.Equal(source.Pts, Resample(source, new(64, 64)).Pts);
    }

    [Fact]
    public void Resample_WrongSize_SaysBothSizes()
    {
        var resampler = new Resampler(new(32, 32), new(64, 64));

        var error = Assert.Throws<ArgumentException>(() => resampler.Resample(VideoFrame.Allocate(new(32, 30)), VideoFrame.Allocate(new(64, 64))));

        Assert.Contains("32x30", error.Message, StringComparison.Ordinal);
    }

    private static VideoFrame Resample(VideoFrame source, PixelSize to, float sharpen = 0)
    {
        var destination = VideoFrame.Allocate(to);
        new Resampler(source.Size, to, sharpen).Resample(source, destination);
        return destination;
    }

    private static IEnumerable<byte> Pixels(Plane plane) => Enumerable.Range(0, plane.Height).SelectMany(y => plane.Row(y).ToArray());
}
