using CmvcStream.Evaluate.Live;

namespace CmvcStream.Evaluate.Tests.Live;

public sealed class WebRtcPeerTests : IDisposable
{
    private readonly LiveKit _kit = new();

    public void Dispose() => _kit.Dispose();

    [Fact]
    public async Task RunAsync_GenerousLink_ShowsWhatWasSentInItsTime()
    {
        Assert.SkipWhen(await BrowserProgram.FindAsync(default) is null, BrowserProgram.WhyAbsent);
        var scene = await _kit.SceneAsync(4, "1Mbps");
        var run = await new WebRtcPeer(new("VP8", 1, 1, 500, 500)).RunAsync(scene, default);

        Assert.Null(run.FailureReason);
        Assert.InRange(LiveMeasures.FirstPicture(run.Pictures)!.Value, 0.2, 4);
        Assert.InRange(LiveMeasures.ShownShare(run.Pictures, scene.Fps, scene.Seconds), 0.2, 1);
        Assert.InRange(LiveMeasures.Latency(run.Pictures)!.Value.P50, 0.05, 2);
        Assert.InRange(run.UpKbps, 20, 1000);
        Assert.InRange(await LiveKit.PsnrAsync(scene, run.ShownFile!, 3), 20, 100);
    }
}
