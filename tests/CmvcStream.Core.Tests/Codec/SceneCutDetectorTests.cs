using CmvcStream.Core.Codec;
using CmvcStream.Core.Media;
using Xunit;

namespace CmvcStream.Core.Tests.Codec;

public class SceneCutDetectorTests
{
    private readonly DescriptorEmbedding _embedding = new();
    private readonly SceneCutDetector _detector = new(new());

    [Fact]
    public void Consider_AnotherScene_IsConfirmedOneFrameLater()
    {
        var verdicts = Run(8, t => Picture(t, t < 4 ? 1 : 2));

        Assert.Equal([4], At(verdicts, CutVerdict.Suspected));
        Assert.Equal([5], At(verdicts, CutVerdict.Confirmed));
    }

    [Fact]
    public void Consider_FlashOfOneFrame_IsNoCut()
    {
        var verdicts = Run(12, t => t == 6 ? White() : Picture(t, 1));

        Assert.Equal([6], At(verdicts, CutVerdict.Suspected));
        Assert.Empty(At(verdicts, CutVerdict.Confirmed));
    }

    [Fact]
    public void Consider_CutSoonAfterAFlash_IsFound()
    {
        var verdicts = Run(14, t => t == 5 ? White() : Picture(t, t < 9 ? 1 : 2));

        Assert.Equal([10], At(verdicts, CutVerdict.Confirmed));
    }

    [Fact]
    public void Consider_WhipPan_IsNoCut()
    {
        var verdicts = Run(30, t => Picture(t is > 8 and < 20 ? (t - 8) * 40 : t < 9 ? 0 : 480, 1));

        Assert.Empty(At(verdicts, CutVerdict.Confirmed));
    }

    [Fact]
    public void Consider_FadeToBlackAndBack_IsNoCut()
    {
        var verdicts = Run(60, t => Picture(0, 1, Math.Abs(t - 30) / 30.0));

        Assert.Empty(At(verdicts, CutVerdict.Confirmed));
    }

    [Fact]
    public void Consider_BrokenEmbedding_NeverThrows()
    {
        var broken = new float[_embedding.Dimensions];
        broken[3] = float.NaN;

        for (var t = 0; t < 10; t++)
            _detector.Consider(broken);

        Assert.Equal(CutVerdict.None, _detector.Consider(new float[_embedding.Dimensions]));
    }

    [Theory]
    [InlineData(16, 16)]
    [InlineData(17, 33)]
    [InlineData(479, 269)]
    [InlineData(64, 2000)]
    public void Embed_OddOrTinyConstantPicture_IsFiniteAndLikeItself(int width, int height)
    {
        using var frame = VideoFrame.Allocate(new(width, height));
        frame.Fill(90, 100, 160);
        float[] one = new float[_embedding.Dimensions], two = new float[_embedding.Dimensions];

        _embedding.Embed(frame, one);
        _embedding.Embed(frame, two);

        Assert.All(one, v => Assert.True(float.IsFinite(v)));
        Assert.Equal(1, Similarity.Cosine(one, two), 1e-5f);
    }

    private static int[] At(List<CutVerdict> verdicts, CutVerdict verdict) =>
        [.. Enumerable.Range(0, verdicts.Count).Where(i => verdicts[i] == verdict)];

    private List<CutVerdict> Run(int frames, Func<int, VideoFrame> picture)
    {
        var verdicts = new List<CutVerdict>();
        for (var t = 0; t < frames; t++)
        {
            using var frame = picture(t);
            var vector = new float[_embedding.Dimensions];
            _embedding.Embed(frame, vector);
            verdicts.Add(_detector.Consider(vector));
        }

        return verdicts;
    }

    private static VideoFrame White()
    {
        var frame = VideoFrame.Allocate(new(160, 90));
        frame.Fill(235);
        return frame;
    }

    /// <summary>Smooth random hills of a scene, moved right by a number of pixels, at a share of the light.</summary>
    private static VideoFrame Picture(int shift, int scene, double light = 1)
    {
        var frame = VideoFrame.Allocate(new(160, 90));
        var random = new Random(scene);
        var waves = Enumerable.Range(0, 8).Select(_ => (X: random.NextDouble() * 0.3 - 0.15, Y: random.NextDouble() * 0.3 - 0.15, P: random.NextDouble() * 6)).ToArray();
        frame.Fill(16, (byte)random.Next(90, 160), (byte)random.Next(90, 160));
        for (var y = 0; y < 90; y++)
        {
            var row = frame.Y.Row(y);
            for (var x = 0; x < 160; x++)
                row[x] = (byte)Math.Clamp(16 + light * (104 + 22 * waves.Sum(w => Math.Sin((x - shift) * w.X + y * w.Y + w.P))), 16, 235);
        }

        return frame;
    }
}
