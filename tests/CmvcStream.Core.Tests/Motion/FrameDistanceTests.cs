using CmvcStream.Core.Media;
using CmvcStream.Core.Motion;
using Xunit;

namespace CmvcStream.Core.Tests.Motion;

public sealed class FrameDistanceTests
{
    private static readonly PixelSize s_size = new(481, 271);

    [Fact]
    public void Distances_EqualPictures_AreZero()
    {
        VideoFrame a = TestPictures.Texture(s_size), b = TestPictures.Texture(s_size);

        Assert.Equal(0, FrameDistance.LumaMse(a, b));
        Assert.Equal(0, FrameDistance.Structural(a, b), 1e-9);
    }

    [Fact]
    public void LumaMse_KnownDifference_IsItsSquare()
    {
        VideoFrame a = VideoFrame.Allocate(s_size), b = VideoFrame.Allocate(s_size);
        a.Fill(255);
        b.Fill(5);

        Assert.Equal(62500, FrameDistance.LumaMse(a, b));
    }

    [Fact]
    public void Structural_UnrelatedPictures_IsNearOne() =>
        Assert.InRange(FrameDistance.Structural(TestPictures.Texture(s_size), TestPictures.Texture(s_size, scene: 4)), 0.7, 1.3);

    [Fact]
    public void Structural_GrowingShift_Grows()
    {
        var a = TestPictures.Texture(s_size);
        var distances = ((double[])[0.5, 1, 2, 4]).Select(d => FrameDistance.Structural(a, TestPictures.Texture(s_size, d))).ToArray();

        Assert.Equal(distances.Order(), distances);
    }

    [Fact]
    public void Structural_BrighterPicture_WeighsLessThanMissingDetail()
    {
        VideoFrame a = TestPictures.Texture(s_size), brighter = TestPictures.Texture(s_size), flat = VideoFrame.Allocate(s_size);
        for (var y = 0; y < s_size.Height; y++)
            foreach (ref var v in brighter.Y.Row(y))
                v = (byte)Math.Min(v + 6, 255);
        flat.Fill(125);

        Assert.True(FrameDistance.Structural(a, brighter) < 0.1 * FrameDistance.Structural(a, flat));
    }

    [Fact]
    public void LumaMse_OtherSize_SaysBothSizes()
    {
        var error = Assert.Throws<ArgumentException>(() => FrameDistance.LumaMse(VideoFrame.Allocate(s_size), VideoFrame.Allocate(new(16, 16))));

        Assert.Contains("16x16", error.Message, StringComparison.Ordinal);
    }
}
