using System.Globalization;
using CmvcStream.Evaluate.Compare;
using CmvcStream.Evaluate.Measure;

namespace CmvcStream.Evaluate;

/// <summary>
/// Ours against ours of earlier: what has become worse by more than runs differ of themselves. Real programs in real time on a machine that
/// does other things as well differ by about a third of these tolerances from run to run.
/// </summary>
internal static class Baseline
{
    /// <summary>How much worse a metric may be.</summary>
    public static IReadOnlyDictionary<string, (double Absolute, double Relative)> Tolerances { get; } = new Dictionary<string, (double, double)>
    {
        [Metric.Lpips.Name] = (.01, .08),
        [Metric.Tlp.Name] = (.004, .25),
        [Metric.Ssim.Name] = (.015, 0),
        [Metric.MsSsim.Name] = (.015, 0),
        [Metric.Psnr.Name] = (.8, 0),
        [Metric.Vmaf.Name] = (4, 0),
    };

    public const double WireShare = .05, PictureSeconds = 2, FreezeSeconds = 1.5, LatencySeconds = 2;

    /// <summary>What is worse, a line each; empty is none.</summary>
    /// <exception cref="EvaluateException">The two are of different settings, or a run of the baseline is missing.</exception>
    public static IReadOnlyList<string> Regressions(Evaluation before, Evaluation now)
    {
        if (Comparable(before.Settings) != Comparable(now.Settings))
            throw new EvaluateException($"the baseline was made with other settings ({Comparable(before.Settings)}) than this ({Comparable(now.Settings)}): evaluate with the same, or make a new baseline");
        var worse = new List<string>();
        var compared = 0;
        foreach (var clip in before.Clips)
        {
            foreach (var was in clip.Ours)
            {
                var name = string.Create(CultureInfo.InvariantCulture, $"{clip.Name} at {was.RateKbps} kbit/s");
                if (now.Clips.Find(c => c.Name == clip.Name)?.Ours.Find(o => o.RateKbps == was.RateKbps) is { } its)
                {
                    worse.AddRange(Compare(was, its).Select(w => $"{name}: {w}"));
                    compared++;
                }
                else
                {
                    worse.Add($"{name} is in the baseline and was not measured now");
                }
            }
        }

        return compared > 0 ? worse : throw new EvaluateException("the baseline holds no run that could be compared");
    }

    private static IEnumerable<string> Compare(OurResult was, OurResult its)
    {
        foreach (var metric in Metric.All)
        {
            if (metric.Of(was.Scores) is not { } a || metric.Of(its.Scores) is not { } b)
                continue;
            var (absolute, relative) = Tolerances[metric.Name];
            var allowed = Math.Max(absolute, relative * Math.Abs(a));
            if ((metric.HigherIsBetter ? a - b : b - a) > allowed)
                yield return $"{metric.Name} {metric.Text(b)} after {metric.Text(a)}, {metric.Text(allowed)} allowed";
        }

        if (its.WireKbps > Math.Max(was.WireKbps * (1 + WireShare), its.RateKbps))
            yield return Text("kbit/s on the wire", was.WireKbps, its.WireKbps, WireShare * was.WireKbps);
        if (was.Start.Picture is { } picture && its.Start.Picture is { } later && later > picture + PictureSeconds)
            yield return Text("s to the first picture", picture, later, PictureSeconds);
        if (its.Shown.LongestFreeze > was.Shown.LongestFreeze + FreezeSeconds)
            yield return Text("s of freeze", was.Shown.LongestFreeze, its.Shown.LongestFreeze, FreezeSeconds);
        if (was.LatencyP50 is { } latency && its.LatencyP50 is { } longer && longer > latency + LatencySeconds)
            yield return Text("s from capture to display", latency, longer, LatencySeconds);
    }

    private static string Text(string what, double was, double its, double allowed) => string.Create(CultureInfo.InvariantCulture, $"{its:0.00} {what} after {was:0.00}, {allowed:0.00} more allowed");

    // Rates and the network may differ: what both have is compared.
    private static string Comparable(Settings s) => string.Create(CultureInfo.InvariantCulture,
        $"--seconds {s.Seconds} --skip {s.SkipSeconds} --every {s.Every} --fps {s.Fps} --size {s.Box} --mode {s.Mode}, link {s.Link}");
}
