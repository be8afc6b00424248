using System.Globalization;
using CmvcStream.Evaluate.Compare;
using CmvcStream.Evaluate.Measure;
using CmvcStream.Evaluate.Ours;

namespace CmvcStream.Evaluate.Live;

/// <summary>
/// Everyone on the same link in turn, end to end. Each run is kept under a name that <paramref name="key"/> is part of, and not run again.
/// </summary>
/// <param name="ours">How ours is run; its link is everyone's.</param>
/// <param name="folder">Takes what is kept.</param>
/// <param name="key">What the runs depend on beside peer, clip and rate.</param>
internal sealed class LiveStudy(ProductSettings ours, string folder, string key)
{
    /// <summary>Who is compared: what people use today, and ours.</summary>
    private readonly ILivePeer[] _peers =
    [
        new FfmpegPeer(LiveCodec.X265, udp: false), new FfmpegPeer(LiveCodec.X265, udp: true), new FfmpegPeer(LiveCodec.X264, udp: false), new FfmpegPeer(LiveCodec.X264, udp: true),
        new WebRtcPeer(), new ProductPeer(ours),
    ];

    /// <summary>Runs everyone on one clip at one rate.</summary>
    /// <param name="reference">The clip.</param>
    /// <param name="kbps">Of the link.</param>
    /// <param name="scorer">Of the same reference.</param>
    /// <param name="report">Takes a line for each new run.</param>
    /// <param name="stop">Ends it.</param>
    /// <exception cref="EvaluateException">A program that the evaluation itself needs is missing or fails.</exception>
    public async Task<List<LiveResult>> MeasureAsync(Reference reference, double kbps, Scorer scorer, Action<string> report, CancellationToken stop)
    {
        var results = new List<LiveResult>();
        foreach (var peer in _peers)
        {
            var name = string.Create(CultureInfo.InvariantCulture, $"{reference.Sequence.Name}-{peer.Name}-{kbps}").Replace(" ", "-").Replace(",", "");
            var file = Path.Combine(folder, $"{name}-{key}.json");
            if (PartFile.Read<LiveResult>(file) is not { } result)
            {
                result = await MeasureAsync(peer, reference, kbps, scorer, Path.Combine(folder, name), stop);
                PartFile.Write(file, result);
                report($"{reference.Sequence.Name}: {peer.Name} at {kbps.ToString(CultureInfo.InvariantCulture)}: {result.Failure ?? Outcome(result)}");
            }

            results.Add(result);
        }

        return results;
    }

    private async Task<LiveResult> MeasureAsync(ILivePeer peer, Reference reference, double kbps, Scorer scorer, string scratch, CancellationToken stop)
    {
        var plan = reference.Plan;
        string[] link = ["--rate", string.Create(CultureInfo.InvariantCulture, $"{kbps}kbps"), .. ours.Link];
        var scene = new LiveScene(reference.Sequence.File, reference.Size, plan.Fps, plan.Seconds, new((long)(kbps * 1000)), link, scratch);
        try
        {
            var run = await peer.RunAsync(scene, stop);
            var (pictures, shown) = (run.Pictures, run.FailureReason is null && run.ShownFile is not null);
            var (freezes, latency) = (LiveMeasures.FreezesOf(pictures, plan.Seconds), LiveMeasures.Latency(pictures));
            return new()
            {
                Clip = reference.Sequence.Name,
                Name = peer.Name,
                RateKbps = kbps,
                Settings = run.Settings,
                Failure = run.FailureReason,
                FirstPicture = Rounded(LiveMeasures.FirstPicture(pictures)),
                ShownShare = shown ? Math.Round(LiveMeasures.ShownShare(pictures, plan.Fps, plan.Seconds), 4) : null,
                Freezes = freezes?.Count,
                LongestFreeze = Rounded(freezes?.LongestSeconds),
                LatencyP50 = Rounded(latency?.P50),
                LatencyP95 = Rounded(latency?.P95),
                WireKbps = run.UpKbps,
                Scores = shown ? await scorer.ScoreAsync(run.ShownFile!, run.ShownFps ?? plan.Fps, null, stop) : null,
                Commands = [.. run.Commands],
            };
        }
        finally
        {
            // Pictures take hundreds of megabytes; what the programs said stays.
            if (Directory.Exists(scratch))
            {
                foreach (var large in Directory.EnumerateFiles(scratch).Where(f => Path.GetExtension(f) is ".y4m" or ".yuv" or ".mp4"))
                    File.Delete(large);
            }
        }
    }

    private static string Outcome(LiveResult result) => string.Create(CultureInfo.InvariantCulture,
        $"first picture after {result.FirstPicture:0.0} s, {100 * result.ShownShare:0} % shown, {result.Freezes} freezes, latency {result.LatencyP50:0.0} s, ")
        + $"LPIPS {Metric.Lpips.Text(result.Scores?.Lpips)}";

    private static double? Rounded(double? seconds) => seconds is { } s ? Math.Round(s, 2) : null;
}
