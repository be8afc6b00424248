using CmvcStream.Evaluate.Measure;
using CmvcStream.Evaluate.Media;
using CmvcStream.Evaluate.Peers;
using CmvcStream.Evaluate.Tests.Compare;

namespace CmvcStream.Evaluate.Tests.Peers;

public sealed class PeerStudyTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("cmvc-peers-");

    public void Dispose() => _folder.Delete(recursive: true);

    /// <summary>The real encoders, each once: that ffmpeg takes the arguments, that rates rise with what is asked, that pictures are scored.</summary>
    [Theory]
    [InlineData("x264")]
    [InlineData("x265")]
    [InlineData("libaom")]
    [InlineData("svtav1")]
    public async Task Measure_RealEncoder_GivesCurvesAndKeepsThem(string codec)
    {
        var clip = Path.Combine(_folder.FullName, "clip.mp4");
        await ChildProcess.RunAsync("ffmpeg", ["-v", "error", "-f", "lavfi", "-i", "testsrc2=s=256x256:r=15:d=1", "-c:v", "libx264", "-crf", "10", "-pix_fmt", "yuv420p", clip]);
        var reference = await Reference.ReadAsync(new("clip", clip, new(256, 256)), new(15, 1, 0, 7), default);
        var encoder = PeerCodec.Find(codec);
        encoder = encoder with { Settings = [.. encoder.Settings.Select(s => s with { Ladder = s.Ladder[1..3] })] };
        using var scorer = new Scorer(reference, null, null);
        var study = new PeerStudy(reference, scorer, Path.Combine(_folder.FullName, "kept"), "key");

        var points = await study.MeasureAsync(encoder, 64, default);

        Assert.Equal(18, points.GroupBy(p => p.Configuration).Count()); // 2 settings, 3 sizes, 3 frame rates
        Assert.All(points, p => Assert.InRange(p.Scores.Psnr, 8, 60));
        Assert.All(points, p => Assert.True(p.WireKbps > p.PayloadKbps && p.PayloadKbps > 0));
        foreach (var curve in points.GroupBy(p => p.Configuration).Where(c => c.Count() > 1))
            Assert.True(curve.Last().PayloadKbps >= curve.First().PayloadKbps * .9, curve.Key);
        // Fewer frames a second are fewer packets: 50 B of headers each.
        var (full, third) = (points.First(p => p is { Rate: 1, Size: 1 }), points.First(p => p is { Rate: 3, Size: 1 }));
        Assert.InRange(full.WireKbps - full.PayloadKbps, 15 * 50 * 8 / 1000.0 - .01, 10);
        Assert.InRange(third.WireKbps - third.PayloadKbps, 5 * 50 * 8 / 1000.0 - .01, 5);

        var made = study.Made;
        Assert.Equal(points, await study.MeasureAsync(encoder, 64, default));
        Assert.Equal(made, study.Made);
    }

    [Theory]
    [InlineData("svtav1", 12)]
    [InlineData("x264", 18)]
    public void Of_VerticalPicture_LeavesOutWhatAnEncoderDoesNotTake(string codec, int configurations) =>
        Assert.Equal(configurations, PeerConfiguration.Of(PeerCodec.Find(codec), new(152, 270)).Count());

    [Fact]
    public void AddsNothing_BeatenByALargerPictureForFewerBytes_IsTrue() =>
        Assert.True(PeerStudy.AddsNothing(Samples.Peer("x", 8, 14, 30, size: 2), [Samples.Peer("x", 7, 13, 31, size: 1)]));

    [Fact]
    public void AddsNothing_BeatenByWhatLiesBetweenALargerPicturesPoints_IsTrue() =>
        Assert.True(PeerStudy.AddsNothing(Samples.Peer("x", 8, 14, 30, size: 2), [Samples.Peer("x", 7, 13, 29.9, size: 1), Samples.Peer("x", 9, 15, 32, size: 1)]));

    [Fact]
    public void AddsNothing_BetterThanWhatLiesBetween_IsFalse() =>
        Assert.False(PeerStudy.AddsNothing(Samples.Peer("x", 8, 14, 30, size: 2), [Samples.Peer("x", 7, 13, 28, size: 1), Samples.Peer("x", 9, 15, 31, size: 1)]));

    [Fact]
    public void AddsNothing_BeatenByASmallerPicture_IsFalse() =>
        Assert.False(PeerStudy.AddsNothing(Samples.Peer("x", 8, 14, 30, size: 1), [Samples.Peer("x", 7, 13, 31, size: 2)]));

    [Fact]
    public void AddsNothing_CheaperOnTheWire_IsFalse() =>
        Assert.False(PeerStudy.AddsNothing(Samples.Peer("x", 8, 10, 30, rate: 3), [Samples.Peer("x", 7, 13, 31, rate: 1)]));

    [Fact]
    public void AddsNothing_LookaheadBeatenByZeroLatency_IsFalse() =>
        Assert.False(PeerStudy.AddsNothing(Samples.Peer("x", 8, 14, 30, setting: "lookahead"), [Samples.Peer("x", 7, 13, 31)]));

    [Fact]
    public void AddsNothing_BetterByOneMetric_IsFalse()
    {
        var point = Samples.Peer("x", 8, 14, 30, size: 2, lpips: .2);
        Assert.False(PeerStudy.AddsNothing(point, [Samples.Peer("x", 7, 13, 31, size: 1, lpips: .3)]));
        Assert.True(PeerStudy.AddsNothing(point, [Samples.Peer("x", 7, 13, 31, size: 1, lpips: .1)]));
    }
}
