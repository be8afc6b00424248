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
    /// <param name="before">The baseline.</param>
    /// <param name="now">What is judged.</param>
    /// <param name="tolerance">How many times the tolerances are allowed.</param>
    /// <exception cref="EvaluateException">The two are of different settings, or a run of the baseline is missing.</exception>
    public static IReadOnlyList<string> Regressions(Evaluation before, Evaluation now, double tolerance = 1)
    {
        if (Comparable(before.Settings) != Comparable(now.Settings))
        {
            throw new EvaluateException($"the baseline was made with other settings ({Comparable(before.Settings)}) than this ({Comparable(now.Settings)}): "
                + "evaluate with the same, or make a new baseline");
        }

        var worse = new List<string>();
        foreach (var clip in before.Clips)
        {
            foreach (var was in clip.Ours)
            {
                var name = string.Create(CultureInfo.InvariantCulture, $"{clip.Name} at {was.RateKbps} kbit/s");
                if (now.Clips.Find(c => c.Name == clip.Name)?.Ours.Find(o => o.RateKbps == was.RateKbps) is { } its)
                    worse.AddRange(Compare(was, its, now.Settings.Seconds, tolerance).Select(w => $"{name}: {w}"));
                else
                    worse.Add($"{name} is in the baseline and was not measured now");
            }
        }

        return before.Clips.Any(c => c.Ours.Count > 0) ? worse : throw new EvaluateException("the baseline holds no run of ours: make a new one");
    }

    private static IEnumerable<string> Compare(OurResult was, OurResult its, int seconds, double tolerance)
    {
        foreach (var metric in Metric.All)
        {
            if (metric.Of(was.Scores) is not { } a || metric.Of(its.Scores) is not { } b)
                continue;
            var (absolute, relative) = Tolerances[metric.Name];
            var allowed = tolerance * Math.Max(absolute, relative * Math.Abs(a));
            if ((metric.HigherIsBetter ? a - b : b - a) > allowed)
                yield return $"{metric.Name} {metric.Text(b)} after {metric.Text(a)}, {metric.Text(allowed)} allowed";
        }

        (string What, double? Was, double? Its, double Allowed)[] others =
        [
            // More bytes than before are no fault within the budget; above it they are.
            ("kbit/s on the link", its.RateKbps, its.WireKbps * seconds / its.ConnectedSeconds, WireShare * its.RateKbps),
            ("s to the first picture", was.Start.Picture, its.Start.Picture, PictureSeconds),
            ("s of freeze", was.Shown.LongestFreeze, its.Shown.LongestFreeze, FreezeSeconds),
            ("s from capture to display", was.LatencyP50, its.LatencyP50, LatencySeconds),
        ];
        foreach (var (what, a, b, allowed) in others)
        {
            if (a is { } x && b is { } y && y > x + (tolerance * allowed))
                yield return string.Create(CultureInfo.InvariantCulture, $"{y:0.00} {what} after {x:0.00}, {tolerance * allowed:0.00} more allowed");
        }
    }

    // Rates and the network may differ: what both have is compared.
    private static string Comparable(Settings s) => string.Create(CultureInfo.InvariantCulture,
        $"--seconds {s.Seconds} --skip {s.SkipSeconds} --every {s.Every} --fps {s.Fps} --size {s.Box} --mode {s.Mode}, link {s.Link}");
}
