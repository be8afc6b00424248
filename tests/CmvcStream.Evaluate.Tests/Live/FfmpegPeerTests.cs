using CmvcStream.Evaluate.Live;

namespace CmvcStream.Evaluate.Tests.Live;

public sealed class FfmpegPeerTests : IDisposable
{
    private readonly LiveKit _kit = new();

    public void Dispose() => _kit.Dispose();

    [Fact]
    public async Task RunAsync_X264OverTcp_ShowsEveryFrameInItsTime()
    {
        var scene = await _kit.SceneAsync(4, "400kbps");
        var run = await new FfmpegPeer(LiveCodec.X264, udp: false, new(1, 1, 300)).RunAsync(scene, default);

        Assert.Null(run.FailureReason);
        Assert.InRange(LiveMeasures.ShownShare(run.Pictures, scene.Fps, scene.Seconds), 0.95, 1);
        Assert.InRange(LiveMeasures.Latency(run.Pictures)!.Value.P50, 0.05, 2);
        Assert.InRange(run.UpKbps, 100, 400);
        Assert.InRange(await LiveKit.PsnrAsync(scene, run.ShownFile!, 1), 24, 100);
        Assert.Contains(run.Commands, c => c.Contains("libx264", StringComparison.Ordinal));
    }

    [Fact]
    public async Task RunAsync_LinkCarriesNothing_SaysWhyNothingWasShown()
    {
        var scene = (await _kit.SceneAsync(1, "400kbps")) with { ThrottleArguments = ["--rate", "1bps"] };
        var run = await new FfmpegPeer(LiveCodec.X264, udp: true, new(1, 1, 300)).RunAsync(scene, default);

        Assert.Empty(run.Pictures);
        Assert.NotNull(run.FailureReason);
        Assert.Equal(15, new FileInfo(run.ShownFile!).Length / (ShownVideo.Bytes(scene.Size) + 6));
    }
}
