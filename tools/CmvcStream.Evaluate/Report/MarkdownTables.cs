using System.Globalization;
using System.Text;
using CmvcStream.Evaluate.Compare;
using CmvcStream.Evaluate.Measure;

namespace CmvcStream.Evaluate.Report;

/// <summary>The tables of an evaluation for a document in Markdown.</summary>
internal static class MarkdownTables
{
    private const string Begin = "<!-- evaluate: begin -->", End = "<!-- evaluate: end -->";

    /// <summary>Replaces what stands between the two markers of a document.</summary>
    /// <exception cref="EvaluateException">The document is missing or lacks a marker.</exception>
    public static void WriteInto(string path, Evaluation evaluation)
    {
        if (!File.Exists(path))
            throw new EvaluateException($"{path}: there is no such document");
        var old = File.ReadAllText(path);
        var (begin, end) = (old.IndexOf(Begin, StringComparison.Ordinal), old.IndexOf(End, StringComparison.Ordinal));
        if (begin < 0 || end < begin)
            throw new EvaluateException($"{path} lacks the lines {Begin} and {End}, between which the tables are put");
        PartFile.WriteText(path, $"{old[..begin]}{Begin}\n\n{Render(evaluation)}\n{old[end..]}");
    }

    public static string Render(Evaluation evaluation)
    {
        var text = new StringBuilder();
        var (metrics, codecs, made) = (Summary.Metrics(evaluation), Summary.Codecs(evaluation), evaluation.Made);
        text.Append($"Made {made.Date} on {made.Machine}; {string.Join(", ", made.Versions.Select(v => $"{v.Key} {v.Value}"))}.\n\n{Text.Method(evaluation)}\n\n");
        foreach (var failure in evaluation.Failures)
            text.Append($"Not measured: {failure}.\n\n");
        if (codecs.Count > 0)
        {
            text.Append($"### Better than the best of the others\n\n{Text.Who}\n\n");
            foreach (var basis in Enum.GetValues<Basis>())
            {
                text.Append($"**{Text.Of(basis)}**\n\n");
                Table(text, ["kbit/s", .. metrics.Select(m => m.Name)], Text.TallyRows(evaluation, basis, metrics));
            }

            text.Append($"### BD-rate\n\n{Text.Savings}\n\n");
            foreach (var basis in Enum.GetValues<Basis>())
            {
                text.Append($"**{Text.Of(basis)}**\n\n");
                Table(text, ["ours against", .. metrics.Select(m => m.Name)], Text.SavingRows(evaluation, basis, metrics));
            }
        }

        foreach (var rate in evaluation.Settings.RatesKbps)
            Rate(text, evaluation, rate, metrics, codecs.Count > 0);
        if (codecs.Count > 0)
            LeastRates(text, evaluation, codecs);
        text.Append($"### Start-up, freezes, latency\n\n{Text.StartUp}\n\n");
        Table(text, Text.StartUpHead, evaluation.Clips.SelectMany(c => c.Ours.Select(o => Text.StartUpRow(c, o))));
        if (evaluation.Live.Count > 0)
        {
            text.Append($"### On the same link, end to end\n\n{Text.Live}\n\n");
            Table(text, Text.LiveHead(metrics), evaluation.Live.Select(l => Text.LiveRow(l, metrics)));
        }

        return text.ToString();
    }

    private static void Rate(StringBuilder text, Evaluation evaluation, double rate, IReadOnlyList<Metric> metrics, bool against)
    {
        text.Append(string.Create(CultureInfo.InvariantCulture, $"### Each clip at {rate} kbit/s\n\n"));
        if (against)
            text.Append("Ours, and behind it the best of the others at the same payload (codec, size, frame rate, zl: zero-latency, la: lookahead); \\* where ours is worse.\n\n");
        Table(text, ["clip", "wire", "payload", .. metrics.Select(m => m.Name)], evaluation.Clips.SelectMany(clip => clip.Ours.Where(o => o.RateKbps == rate).Select(o => (string[])
        [
            clip.Name, o.WireKbps.ToString("0.00", CultureInfo.InvariantCulture), o.PayloadKbps.ToString("0.00", CultureInfo.InvariantCulture), .. metrics.Select(m => Cell(evaluation, clip, o, m)),
        ])));
    }

    private static string Cell(Evaluation evaluation, ClipResult clip, OurResult ours, Metric metric)
    {
        var mine = metric.Text(metric.Of(ours.Scores));
        return Duel.All(evaluation, ours.RateKbps, Basis.Payload, metric).FirstOrDefault(d => d.Clip == clip) is not { } duel ? mine
            : duel.Best is { } best ? $"{mine}{(duel.Outcome == Outcome.Lost ? "\\*" : "")} ({metric.Text(best.Value)} {Text.Short(best.Below)})"
            : string.Create(CultureInfo.InvariantCulture, $"{mine} (none below {duel.Least.PayloadKbps:0.0})");
    }

    private static void LeastRates(StringBuilder text, Evaluation evaluation, IReadOnlyList<string> codecs)
    {
        text.Append("### The least that each can send\n\nkbit/s of the encoding with the fewest bytes, at any size, frame rate and setting: least, median and most of the clips. "
            + "On the wire as RTP, which alone needs 2 kbit/s at 5 frames a second.\n\n");
        Table(text, ["", "payload", "wire"], codecs.Select(c => (string[])[c, .. Enum.GetValues<Basis>().Select(basis => Spread(evaluation.Clips
            .Select(clip => PeerCurves.Least(clip.Peers.Where(p => p.Codec == c), basis)?.Kbps(basis)).OfType<double>()))]));
    }

    private static string Spread(IEnumerable<double> values) => values.Any()
        ? string.Create(CultureInfo.InvariantCulture, $"{values.Min():0.0}, {Summary.Median(values):0.0}, {values.Max():0.0}")
        : "-";

    private static void Table(StringBuilder text, string[] head, IEnumerable<string[]> rows)
    {
        text.Append($"| {string.Join(" | ", head)} |\n{string.Concat(Enumerable.Repeat("|---", head.Length))}|\n");
        foreach (var row in rows)
            text.Append($"| {string.Join(" | ", row.Select(c => c.Replace("|", "\\|", StringComparison.Ordinal)))} |\n");
        text.Append('\n');
    }
}
