using System.Globalization;
using System.Net;
using System.Text;
using CmvcStream.Evaluate.Compare;
using CmvcStream.Evaluate.Measure;

namespace CmvcStream.Evaluate.Report;

/// <summary>One self-contained page: summary, pictures side by side at the same moment, curves, every number with the command that makes it.</summary>
internal sealed class HtmlReport
{
    private static readonly Dictionary<string, string> Colours = new()
    {
        ["ours"] = "#0b6",
        ["x264"] = "#c80",
        ["x265"] = "#d33",
        ["libaom"] = "#36c",
        ["svtav1"] = "#93c",
    };

    private static readonly string Style = ReadResource("report.css");

    private readonly Evaluation _evaluation;
    private readonly Func<string, string, string?> _picture;
    private readonly StringBuilder _html = new();
    private readonly IReadOnlyList<Metric> _metrics;
    private readonly IReadOnlyList<string> _codecs;

    /// <param name="evaluation">What was measured.</param>
    /// <param name="picture">A kept picture (clip, file) as a data URI; null where it is not there.</param>
    private HtmlReport(Evaluation evaluation, Func<string, string, string?> picture)
    {
        (_evaluation, _picture) = (evaluation, picture);
        (_metrics, _codecs) = (Summary.Metrics(evaluation), Summary.Codecs(evaluation));
    }

    public static string Render(Evaluation evaluation, Func<string, string, string?> picture)
    {
        var report = new HtmlReport(evaluation, picture);
        report.Page();
        return report._html.ToString();
    }

    private void Page()
    {
        var made = _evaluation.Made;
        Raw("<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">");
        Raw($"<title>CmvcStream: evaluation</title><style>{Style}</style><main>");
        Line("h1", "CmvcStream against what people would use instead");
        Line("p", $"{made.Date}, {made.Machine}. {string.Join(", ", made.Versions.Select(v => $"{v.Key} {v.Value}"))}.");
        Line("p", Text.Method(_evaluation));
        if (_evaluation.Failures.Count > 0)
            Raw($"<p class=\"bad\">Not measured: {string.Join("; ", _evaluation.Failures.Select(Encode))}.</p>");
        if (_codecs.Count > 0)
        {
            Who();
            foreach (var basis in Enum.GetValues<Basis>())
                Savings(basis);
            LeastRates();
        }

        StartUp();
        if (_evaluation.Live.Count > 0)
            Live();
        foreach (var clip in _evaluation.Clips)
            Clip(clip);
        Raw("</main></html>\n");
    }

    private void Who()
    {
        Line("h2", "Better than the best of the others");
        Line("p", Text.Who);
        foreach (var basis in Enum.GetValues<Basis>())
        {
            Line("h3", Text.Of(basis));
            Table(["kbit/s", .. _metrics.Select(m => m.Name)], Text.TallyRows(_evaluation, basis, _metrics));
        }
    }

    private void Savings(Basis basis)
    {
        Line("h2", $"BD-rate, {Text.Of(basis)}");
        Line("p", Text.Savings);
        Table(["ours against", .. _metrics.Select(m => m.Name)], Text.SavingRows(_evaluation, basis, _metrics));
    }

    private void LeastRates()
    {
        Line("h2", "The least that each can send");
        Line("p", "kbit/s of the encoding with the fewest bytes at any size, frame rate and setting; on the wire as RTP. Ours has no such floor: it shows fewer new pictures.");
        var columns = Enum.GetValues<Basis>().SelectMany(basis => _codecs.Select(codec => (Codec: codec, Basis: basis))).ToArray();
        Table(["clip", .. columns.Select(c => $"{c.Codec}, {(c.Basis == Basis.Wire ? "wire" : "payload")}")], _evaluation.Clips.Select(clip => (string[])[clip.Name,
            .. columns.Select(c => PeerCurves.Least(clip.Peers.Where(p => p.Codec == c.Codec), c.Basis) is { } least ? Number(least.Kbps(c.Basis)) : "-")]));
    }

    private void StartUp()
    {
        Line("h2", "Ours: start-up, freezes, latency");
        Line("p", Text.StartUp);
        Table(Text.StartUpHead, _evaluation.Clips.SelectMany(c => c.Ours.Select(o => Text.StartUpRow(c, o))));
    }

    private void Live()
    {
        Line("h2", "On the same link, end to end");
        Line("p", Text.Live);
        Table(Text.LiveHead(_metrics), _evaluation.Live.Select(l => Text.LiveRow(l, _metrics)));
        Commands("commands", _evaluation.Live.Select(l => ($"{l.Clip}, {l.Name}, {Text.Rate(l.RateKbps)} kbit/s", l.Commands)));
    }

    private void Clip(ClipResult clip)
    {
        Raw($"<section><h2 id=\"{Encode(clip.Name)}\">{Encode(clip.Name)}</h2>");
        Line("p", $"{clip.Source}, {clip.Size}.");
        var used = new List<PeerPoint>();
        foreach (var ours in clip.Ours)
            Pictures(clip, ours, used);
        foreach (var basis in _codecs.Count > 0 ? Enum.GetValues<Basis>() : [Basis.Wire])
            Curves(clip, basis);
        foreach (var basis in _codecs.Count > 0 ? Enum.GetValues<Basis>() : [])
        {
            Line("h3", $"{Text.Of(basis)}: ours, and the best of the others at as many bytes");
            Table(["budget", "kbit/s", .. _metrics.SelectMany(m => new[] { m.Name, "best other" })], clip.Ours.Select(o => (string[])[Text.Rate(o.RateKbps), Number(o.Kbps(basis)),
                .. _metrics.SelectMany(m => Cells(clip, o, basis, m, used))]));
        }

        Commands("commands of ours", clip.Ours.Select(o => ($"{Text.Rate(o.RateKbps)} kbit/s", o.Commands)));
        if (used.Count > 0)
        {
            Raw("<details><summary>the encodings that the numbers above come from, with their commands</summary>");
            Line("p", "A number of another rate than these lies between two encodings of one configuration: linear in the logarithm of the rate. The sequence is made by the evaluation; its file is in parts/sequences.");
            Table(["configuration", "asked", "payload", "wire", .. _metrics.Select(m => m.Name), "command"], used.Distinct().OrderBy(p => p.Configuration, StringComparer.Ordinal).ThenBy(p => p.PayloadKbps)
                .Select(p => (string[])[p.Configuration, p.Control, Number(p.PayloadKbps), Number(p.WireKbps), .. _metrics.Select(m => m.Text(m.Of(p.Scores))), p.Command]));
            Raw("</details>");
        }

        Raw("</section>");
    }

    private void Pictures(ClipResult clip, OurResult ours, List<PeerPoint> used)
    {
        var by = _metrics.Contains(Metric.Lpips) ? Metric.Lpips : Metric.Ssim;
        var shown = new List<(string Caption, string? Uri)>
        {
            ("source", _picture(clip.Name, "source")),
            ($"ours at {Text.Rate(ours.RateKbps)}: {Number(ours.WireKbps)} kbit/s, {by.Name} {by.Text(by.Of(ours.Scores))}", ours.Picture is { } file ? _picture(clip.Name, file) : null),
        };
        foreach (var codec in _codecs)
        {
            // Whole encodings have pictures; the one below our rate, and the least where none is.
            var of = clip.Peers.Where(p => p.Codec == codec).ToArray();
            var point = PeerCurves.Best(of, Basis.Payload, by, ours.PayloadKbps * 1.1)?.Below ?? PeerCurves.Least(of, Basis.Payload);
            if (point is null)
                continue;
            used.Add(point);
            var remark = point.PayloadKbps > ours.PayloadKbps * 1.1 ? ", its least" : "";
            shown.Add(($"{point.Configuration}: {Number(point.PayloadKbps)} kbit/s of payload{remark}, {by.Name} {by.Text(by.Of(point.Scores))}", _picture(clip.Name, point.Picture)));
        }

        if (shown.All(s => s.Uri is null))
            return;
        Raw("<div class=\"pictures\">");
        foreach (var (caption, uri) in shown)
        {
            var picture = uri is null ? "<div class=\"none\">no picture kept</div>" : $"<img src=\"{uri}\" alt=\"\">";
            Raw($"<figure>{picture}<figcaption>{Encode(caption)}</figcaption></figure>");
        }

        Raw("</div>");
    }

    private void Curves(ClipResult clip, Basis basis)
    {
        var (least, most) = (clip.Ours.Select(o => o.Kbps(basis)).DefaultIfEmpty(1).Min(), clip.Ours.Select(o => o.RateKbps).DefaultIfEmpty(1).Max());
        Raw($"<h3>{Encode(Text.Of(basis))}</h3><div class=\"curves\">");
        foreach (var metric in _metrics)
        {
            var lines = _codecs.Select(c => new ChartLine(c, ColourOf(c),
                [.. PeerCurves.Front(clip.Peers.Where(p => p.Codec == c), basis, metric).Select(p => (p.Kbps(basis), metric.Of(p.Scores)!.Value))]));
            var measured = clip.Ours.Where(o => metric.Of(o.Scores) is not null).OrderBy(o => o.Kbps(basis));
            var ours = new ChartLine("ours", ColourOf("ours"), [.. measured.Select(o => (o.Kbps(basis), metric.Of(o.Scores)!.Value))], Strong: true);
            Raw(SvgChart.Draw($"{metric.Name}{(metric.HigherIsBetter ? "" : " (less is better)")}", [.. lines, ours], least, most));
        }

        var names = _codecs.Prepend("ours").Select(c => $"<span style=\"color:{ColourOf(c)}\">&#9632; {Encode(c)}</span> ");
        Raw($"<p class=\"legend\">{string.Concat(names)}</p></div>");
    }

    private IEnumerable<string> Cells(ClipResult clip, OurResult ours, Basis basis, Metric metric, List<PeerPoint> used)
    {
        yield return metric.Text(metric.Of(ours.Scores));
        var duel = Duel.All(_evaluation, ours.RateKbps, basis, metric).FirstOrDefault(d => d.Clip == clip);
        if (duel is null)
        {
            yield return "-";
            yield break;
        }

        if (duel.Best is { } best)
            used.AddRange(best.Above is null ? [best.Below] : [best.Below, best.Above]);
        else
            used.Add(duel.Least);
        yield return Text.Other(duel, basis);
    }

    private void Commands(string title, IEnumerable<(string Name, string[] Lines)> commands)
    {
        Raw($"<details><summary>{Encode(title)}</summary>");
        foreach (var (name, lines) in commands)
            Raw($"<p>{Encode(name)}</p><pre>{string.Join('\n', lines.Select(Encode))}</pre>");
        Raw("</details>");
    }

    private void Table(IEnumerable<string> head, IEnumerable<string[]> rows)
    {
        Raw("<div class=\"wide\"><table><thead><tr>");
        foreach (var cell in head)
            Line("th", cell);
        Raw("</tr></thead><tbody>");
        foreach (var row in rows)
        {
            Raw("<tr>");
            foreach (var cell in row)
                Line("td", cell);
            Raw("</tr>");
        }

        Raw("</tbody></table></div>");
    }

    private static string ColourOf(string codec) => Colours.GetValueOrDefault(codec, "#777");

    private void Line(string tag, string text) => Raw($"<{tag}>{Encode(text)}</{tag}>");

    private void Raw(string html) => _html.Append(html);

    private static string Encode(string text) => WebUtility.HtmlEncode(text);

    private static string Number(double value) => value.ToString("0.00", CultureInfo.InvariantCulture);

    private static string ReadResource(string name)
    {
        using var stream = typeof(HtmlReport).Assembly.GetManifestResourceStream(name)!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
