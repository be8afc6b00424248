using CmvcStream.Evaluate.Media;
using CmvcStream.Evaluate.Ours;

namespace CmvcStream.Evaluate.Live;

/// <summary>Ours, as everyone else is run.</summary>
internal sealed class ProductPeer(ProductSettings settings) : ILivePeer
{
    public string Name => "ours";

    public async Task<LiveRun> RunAsync(LiveScene scene, CancellationToken stop)
    {
        var sequence = new Sequence(Path.GetFileNameWithoutExtension(scene.Source), scene.Source, scene.Size);
        var run = await ProductRun.StreamAsync(sequence, (int)Math.Round(scene.Seconds), scene.Rate.KilobitsPerSecond, settings, scene.Folder, stop);
        // The receiver says how long pictures took from capture to display: so is known when, by the wall clock, source time began.
        var fresh = run.Frames.Where(f => f.IsFresh).ToArray();
        var delays = fresh.Select(f => f.Wall - f.SourceSeconds).Order().ToArray();
        var origin = delays[delays.Length / 2] - (run.Result.LatencyP50 ?? 0);
        return new(Name, $"--mode {settings.Mode}, told the rate", run.Result.Commands, [.. fresh.Select(f => new LivePicture(f.SourceSeconds, f.Wall - origin))],
            run.ShownFile, run.Result.WireKbps, 0, null)
        {
            ShownFps = ProductRun.ShownFps,
        };
    }
}
