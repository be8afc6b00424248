using System.Globalization;
using CmvcStream.Evaluate.Compare;
using CmvcStream.Evaluate.Measure;
using CmvcStream.Evaluate.Peers;

namespace CmvcStream.Evaluate.Report;

/// <summary>Words and cells that the page and the document share.</summary>
internal static class Text
{
    public const string Who = "Clips won, lost and unreached (where none of the others can send so few bytes at all), of all clips. For each clip and metric the others are "
        + "the best of all their codecs, sizes, frame rates and settings at exactly the bytes that ours used.";

    public const string Savings = "Median over the clips of the rate that ours needs for the same quality, against each codec's best configurations; below 0 ours needs less. In "
        + "brackets: on how many clips the two curves overlap, and how much of the range of ours that is. Where ours is better than a codec at any of the measured rates there is no overlap and no "
        + "number, so that this table leaves out the clearest wins, and losses.";

    public const string StartUp = "Seconds from the receiver's accepting the session to the first text, the first picture and the first picture of full size; kbit/s on the wire and of payload over the length of the source, and how long the connection lasted; the longest time "
        + "without a new picture; seconds from capture to display (50th and 95th percentile); share of presented frames that are keyframes (transmitted, or restored by a network), interpolated or held.";

    public const string Live = "Each as real programs through the same throttled link. First picture: seconds from starting the sender. Shown: share of the captured frames (ours: of presented frames that are not held). "
        + "Freezes: more than a second without a new picture. Latency: seconds from capture to display. Scores: of what was shown, at the source times that it depicts, start left out.";

    public static readonly string[] StartUpHead =
    [
        "clip", "budget", "wire", "payload", "connected", "text", "picture", "full", "longest freeze", "latency p50", "p95", "keyframes/s",
        "keyframes", "interpolated", "held",
    ];

    public static string Method(Evaluation evaluation)
    {
        var s = evaluation.Settings;
        return $"Each clip is played to and fro for {s.Seconds} s at {s.Fps} frames a second within {s.Box}; the first {s.SkipSeconds} s are not scored, every {s.Every}th frame after that is. "
            + $"Ours: the real sender (--mode {s.Mode}, told the rate) and receiver over the link of throttle ({s.Link}, of the same rate), in real time; its bytes on the wire are the kernel's counters. All rates are bytes over the length of the source. "
            + "The others: through ffmpeg, every encoding at full, half and quarter size (bicubic upscaling), full, half and third frame rate, zero-latency and with lookahead; average bit rate without a bound on bursts. "
            + "PSNR, SSIM and MS-SSIM of luma; LPIPS and tLP as described in docs/evaluate.md.";
    }

    public static string Of(Basis basis) => basis == Basis.Payload ? "codec: payload against payload" : "link: wire against wire, the others as RTP over UDP";

    public static string Rate(double kbps) => kbps.ToString("0.###", CultureInfo.InvariantCulture);

    public static string Tally(Tally tally) => tally.Of == 0 ? "-" : $"{tally.Won} won, {tally.Lost} lost{(tally.Unreached > 0 ? $", {tally.Unreached} unreached" : "")} of {tally.Of}";

    public static string Saving(RateSaving saving) => saving.Median is { } median
        ? string.Create(CultureInfo.InvariantCulture, $"{median:+0;-0;0} % ({saving.Clips} of {saving.Of}, {100 * saving.Overlap:0} %)")
        : $"no overlap ({saving.Of} clips)";

    /// <summary>For each rate how often ours won, by each metric.</summary>
    public static IEnumerable<string[]> TallyRows(Evaluation evaluation, Basis basis, IReadOnlyList<Metric> metrics) => evaluation.Settings.RatesKbps
        .Select(rate => (string[])[Rate(rate), .. metrics.Select(m => Tally(Compare.Tally.Count(Duel.All(evaluation, rate, basis, m))))]);

    /// <summary>For each codec the rate that ours saves, by each metric.</summary>
    public static IEnumerable<string[]> SavingRows(Evaluation evaluation, Basis basis, IReadOnlyList<Metric> metrics) => Summary.Codecs(evaluation)
        .Select(codec => (string[])[codec, .. metrics.Select(m => Saving(Summary.Saving(evaluation, codec, basis, m)))]);

    /// <summary>The best of the others, with a mark of who is better.</summary>
    public static string Other(Duel duel, Basis basis) => duel.Best is { } best
        ? $"{duel.Metric.Text(best.Value)} {Short(best.Below)}{(duel.Outcome == Outcome.Lost ? ", better" : "")}"
        : string.Create(CultureInfo.InvariantCulture, $"none; least {duel.Least.Kbps(basis):0.0}: {duel.Metric.Text(duel.Metric.Of(duel.Least.Scores))} {Short(duel.Least)}");

    /// <summary>A configuration in a few letters: codec, size, frame rate, setting.</summary>
    public static string Short(PeerPoint point) => $"{point.Codec} 1/{point.Size} 1/{point.Rate}{(point.Setting == PeerSetting.Lookahead ? " la" : " zl")}";

    public static string[] StartUpRow(ClipResult clip, OurResult o) =>
    [
        clip.Name, Rate(o.RateKbps), Two(o.WireKbps), Two(o.PayloadKbps), Two(o.ConnectedSeconds), Two(o.Start.Text), Two(o.Start.Picture), Two(o.Start.Full),
        Two(o.Shown.LongestFreeze), Two(o.LatencyP50), Two(o.LatencyP95), Two(o.KeyframesPerSecond),
        Share(o, "transmitted", "restored"), Share(o, "interpolated"), Share(o, "held"),
    ];

    public static string[] LiveHead(IReadOnlyList<Metric> metrics) =>
    [
        "clip", "kbit/s", "who", "first picture", "shown", "freezes", "longest", "latency p50", "p95", "wire kbit/s", .. metrics.Select(m => m.Name), "settings",
    ];

    public static string[] LiveRow(LiveResult l, IReadOnlyList<Metric> metrics) =>
    [
        l.Clip, Rate(l.RateKbps), l.Name, Two(l.FirstPicture), l.ShownShare is { } share ? Percent(share) : "-", l.Freezes?.ToString(CultureInfo.InvariantCulture) ?? "-",
        Two(l.LongestFreeze), Two(l.LatencyP50), Two(l.LatencyP95), Two(l.WireKbps), .. metrics.Select(m => m.Text(l.Scores is { } s ? m.Of(s) : null)),
        l.Failure is { } why ? $"nothing shown: {why}" : l.Settings,
    ];

    private static string Share(OurResult o, params string[] provenances) => Percent(provenances.Sum(p => o.Shown.Provenance.GetValueOrDefault(p)));

    private static string Percent(double share) => string.Create(CultureInfo.InvariantCulture, $"{100 * share:0.#} %");

    private static string Two(double? value) => value?.ToString("0.00", CultureInfo.InvariantCulture) ?? "-";
}
