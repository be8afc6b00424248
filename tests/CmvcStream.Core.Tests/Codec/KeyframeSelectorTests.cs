using CmvcStream.Core.Codec;
using CmvcStream.Core.Media;
using CmvcStream.Protos;
using Xunit;

namespace CmvcStream.Core.Tests.Codec;

public class KeyframeSelectorTests
{
    private readonly DescriptorEmbedding _embedding = new();
    private readonly KeyframeSelector _selector = new();

    [Fact]
    public void Consider_StillPicture_WaitsForTheMaximumInterval()
    {
        using var picture = Picture(0, 0);
        First(picture);

        var reasons = Enumerable.Range(1, 12).Select(t => _selector.Consider(Embed(picture), t, 8, 4, 12)).ToList();

        Assert.All(reasons[..11], r => Assert.Null(r));
        Assert.Equal(KeyframeReason.Interval, reasons[11]);
    }

    [Fact]
    public void Consider_AnotherScene_IsACutAtItsSecondFrame()
    {
        using var one = Picture(0, 0);
        using var other = Picture(0, 1);
        First(one);
        _selector.Consider(Embed(one), 1, 8, 4, 12);

        Assert.Null(_selector.Consider(Embed(other), 2, 8, 4, 12));
        Assert.Equal(KeyframeReason.SceneCut, _selector.Consider(Embed(other), 3, 8, 4, 12));
        _selector.Keyframe(Embed(other), KeyframeReason.SceneCut);
        Assert.Null(_selector.Consider(Embed(other), 1, 8, 4, 12));
    }

    [Fact]
    public void Consider_SlowlyMovingPicture_IsNoCut()
    {
        using var first = Picture(0, 0);
        First(first);
        for (var t = 1; t < 40; t++)
        {
            using var picture = Picture(t * 2, 0);
            Assert.NotEqual(KeyframeReason.SceneCut, _selector.Consider(Embed(picture), t % 8, 8, 4, 12));
        }
    }

    private void First(VideoFrame picture) => _selector.Keyframe(Embed(picture), KeyframeReason.SceneCut);

    private float[] Embed(VideoFrame picture)
    {
        var vector = new float[_embedding.Dimensions];
        _embedding.Embed(picture, vector);
        return vector;
    }

    private static VideoFrame Picture(int shift, int scene)
    {
        var frame = VideoFrame.Allocate(new(160, 90));
        frame.Fill(16, (byte)(scene == 0 ? 110 : 150), (byte)(scene == 0 ? 140 : 100));
        for (var y = 0; y < 90; y++)
        {
            var row = frame.Y.Row(y);
            for (var x = 0; x < 160; x++)
                row[x] = scene == 0 ? (byte)(120 + 80 * Math.Sin((x + shift) * 0.06)) : (byte)(y < 40 ? 210 : 40 + (x * 7 + y * 13) % 50);
        }

        return frame;
    }
}
