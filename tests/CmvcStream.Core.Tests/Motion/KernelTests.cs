using CmvcStream.Core.Media;
using CmvcStream.Core.Motion;
using Xunit;

namespace CmvcStream.Core.Tests.Motion;

/// <summary>Each vector kernel against its scalar twin, at lengths that do and do not fill vectors.</summary>
public sealed unsafe class KernelTests
{
    public static TheoryData<int> Lengths => [1, 7, 8, 9, 15, 16, 17, 31, 33, 63, 120, 239, 480, 481];

    [Theory]
    [MemberData(nameof(Lengths))]
    public void HalveRow_AnyLength_EqualsScalar(int n)
    {
        var source = Bytes(1, 4 * n + 64);
        byte[] fast = new byte[n + 8], slow = new byte[n + 8];
        fixed (byte* s = source, f = fast, p = slow)
        {
            PaddedPlane.HalveRow(s, 2 * n + 3, f, n);
            PaddedPlane.HalveRowScalar(s, 2 * n + 3, p, n);
        }

        Assert.Equal(slow, fast);
    }

    [Fact]
    public void Sad_RandomAndExtremeWindows_EqualsScalar()
    {
        byte[] a = Bytes(2, 8 * 40), b = Bytes(3, 8 * 50);
        a.AsSpan(0, 100).Clear();
        b.AsSpan(0, 120).Fill(255);
        fixed (byte* p = a, q = b)
        {
            for (var x = 0; x < 30; x++)
                Assert.Equal(BlockKernels.SadScalar(p + x, 40, q + x, 50), new BlockKernels.Block(p + x, 40).Sad(q + x, 50));
        }
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(5, 4)]
    [InlineData(9, 9)]
    [InlineData(120, 68)]
    [InlineData(33, 17)]
    public void Median_AnyGrid_EqualsScalar(int columns, int rows)
    {
        var random = new Random(4);
        var source = Enumerable.Range(0, columns * rows).Select(_ => (float)random.Next(-9, 9)).ToArray();
        float[] fast = new float[source.Length], slow = new float[source.Length];

        Median.Filter3x3(source, fast, columns, rows);
        Median.Filter3x3Scalar(source, slow, columns, rows);

        Assert.Equal(slow, fast);
    }

    [Theory]
    [InlineData(64)]
    [InlineData(77)]
    public void Mix_PlacesInsideAndFarOutside_EqualsScalar(int width)
    {
        var size = new PixelSize(width, 40);
        PaddedPlane a = new(width, 40), b = new(width, 40);
        a.CopyFrom(TestPictures.Texture(size).Y);
        b.CopyFrom(TestPictures.Texture(size, scene: 3).Y);
        var random = new Random(5);
        var places = Enumerable.Range(0, 5 * 128).Select(k => k % 3 == 0 ? 0 : (float)(random.NextDouble() * 200 - 100)).ToArray();
        for (var k = 4 * 128; k < places.Length; k++)
            places[k] = (float)random.NextDouble();
        byte[] fast = new byte[width + 8], slow = new byte[width + 8];
        fixed (float* p = places)
        fixed (byte* f = fast, s = slow)
        {
            var row = new WarpRow(p, p + 128, p + 256, p + 384, p + 512);
            for (var y = 0; y < 40; y += 13)
            {
                WarpKernels.Mix(a, b, y, row, f);
                WarpKernels.MixScalar(a, b, 0, y, row, s);
                for (var x = 0; x < width; x++)
                    Assert.InRange(Math.Abs(fast[x] - slow[x]), 0, 1);
            }
        }
    }

    [Fact]
    public void Mix_AtRest_CopiesExactly()
    {
        var size = new PixelSize(50, 20);
        var texture = TestPictures.Texture(size);
        var plane = new PaddedPlane(50, 20);
        plane.CopyFrom(texture.Y);
        var row = new float[5 * 64];
        var made = new byte[64];
        fixed (float* p = row)
        fixed (byte* m = made)
            WarpKernels.Mix(plane, plane, 7, new WarpRow(p, p + 64, p + 128, p + 192, p + 256), m);

        Assert.Equal(texture.Y.Row(7), made.AsSpan(0, 50));
    }

    [Theory]
    [MemberData(nameof(Lengths))]
    public void MixRows_AnyLength_EqualsScalar(int n)
    {
        var random = new Random(6);
        float[] a = [.. Enumerable.Range(0, n).Select(_ => random.NextSingle())], b = [.. a.Reverse()], fast = new float[n + 8];
        fixed (float* p = a, q = b, f = fast)
            FieldExpander.MixRows(p, q, 0.3f, 0.7f, f, n);

        for (var i = 0; i < n; i++)
            Assert.Equal(a[i] * 0.3f + b[i] * 0.7f, fast[i], 1e-5);
    }

    [Fact]
    public void Spread_LinearCells_GivesLinearPixels()
    {
        var cells = Enumerable.Range(0, 11).Select(i => (float)i).ToArray();
        float[] four = new float[64], two = new float[64];
        fixed (float* c = cells, f = four, t = two)
        {
            FieldExpander.Spread4(c, f, 10);
            FieldExpander.Spread2(c, t, 10);
        }

        for (var x = 2; x < 38; x++)
            Assert.Equal((x + 0.5f) / 4 - 0.5f, four[x], 1e-5);
        for (var x = 1; x < 19; x++)
            Assert.Equal((x + 0.5f) / 2 - 0.5f, two[x], 1e-5);
    }

    [Theory]
    [MemberData(nameof(Lengths))]
    public void AddRow_AnyLength_EqualsScalar(int n)
    {
        var source = Bytes(7, n);
        float[] fast = new float[n + 16], slow = new float[n + 16];
        fixed (byte* s = source)
        fixed (float* f = fast, p = slow)
        {
            ScaleKernels.AddRow(s, 0.37f, f, n);
            ScaleKernels.AddRowScalar(s, 0.37f, p, n);
        }

        for (var x = 0; x < n; x++)
            Assert.Equal(slow[x], fast[x], 1e-4);
    }

    [Theory]
    [InlineData(240, 480)]
    [InlineData(480, 203)]
    [InlineData(17, 99)]
    [InlineData(1280, 479)]
    public void FilterRow_UpAndDown_EqualsScalar(int from, int to)
    {
        var table = new FilterTable(from, to);
        var random = new Random(8);
        var source = Enumerable.Range(0, from + 16).Select(_ => random.NextSingle() * 300 - 20).ToArray();
        byte[] fast = new byte[to + 8], slow = new byte[to + 8];
        fixed (float* s = source)
        fixed (byte* f = fast, p = slow)
        {
            ScaleKernels.FilterRow(s, table, f, to);
            ScaleKernels.FilterRowScalar(s, table, p, 0, to);
        }

        for (var x = 0; x < to; x++)
            Assert.InRange(Math.Abs(fast[x] - slow[x]), 0, 1);
    }

    [Theory]
    [InlineData(1, 4)]
    [InlineData(2, 16)]
    [InlineData(10, 8)]
    [InlineData(480, 16)]
    [InlineData(479, 3)]
    public void SharpenRow_AnyLengthAndGain_EqualsScalar(int n, int gain)
    {
        byte[] up = Bytes(9, n + 8), mid = Bytes(10, n + 8), down = Bytes(11, n + 8), fast = new byte[n + 8], slow = new byte[n + 8];
        fixed (byte* u = up, m = mid, d = down, f = fast, s = slow)
        {
            Sharpener.Row(u, m, d, f, n, gain);
            Sharpener.RowScalar(u, m, d, s, 0, n, n, gain);
        }

        Assert.Equal(slow, fast);
    }

    [Theory]
    [MemberData(nameof(Lengths))]
    public void SquaredError_AnyLength_EqualsScalar(int n)
    {
        byte[] a = Bytes(12, n), b = Bytes(13, n);
        a[0] = 255;
        b[0] = 0;
        fixed (byte* p = a, q = b)
            Assert.Equal(FrameDistance.SquaredErrorScalar(p, q, n), FrameDistance.SquaredError(p, q, n));
    }

    [Fact]
    public void Moments_RandomAndExtremeWindows_EqualsScalar()
    {
        byte[] a = Bytes(14, 8 * 64), b = Bytes(15, 8 * 64);
        for (var y = 0; y < 8; y++)
            a.AsSpan(y * 64, 16).Fill(255);
        fixed (byte* p = a, q = b)
        {
            for (var x = 0; x < 56; x++)
                Assert.Equal(FrameDistance.Moments.OfScalar(p + x, q + x, 64), FrameDistance.Moments.Of(p + x, q + x, 64));
        }
    }

    private static byte[] Bytes(int seed, int n)
    {
        var bytes = new byte[n];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }
}
