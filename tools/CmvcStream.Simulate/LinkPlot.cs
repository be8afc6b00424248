using System.Globalization;
using System.Security;
using System.Text;
using CmvcStream.Protos;

namespace CmvcStream.Simulate;

/// <summary>Draws a <see cref="LinkSimulation"/> over time as SVG: rates, the queue, and the mode.</summary>
internal static class LinkPlot
{
    private const int Left = 64, Width = 796, Right = 20, RatesTop = 66, RatesHeight = 230, QueueHeight = 110, BandHeight = 22, Space = 22;
    private const int QueueTop = RatesTop + RatesHeight + Space, BandTop = QueueTop + QueueHeight + Space, Bottom = BandTop + BandHeight;

    /// <summary>Of a line, pixels that share two points at most: more is not seen.</summary>
    private const double Grain = 2;

    public static string Draw(string title, IReadOnlyList<LinkMoment> moments)
    {
        var svg = new StringBuilder();
        var end = Math.Ceiling(moments[^1].At);
        var highest = moments.Max(m => Math.Max(m.Capacity, m.Estimate)) / 1000;
        // Single peaks of a trace, and what is made of them, would flatten all else.
        var usual = moments.Select(m => Math.Max(m.Capacity, m.Estimate)).Order().ElementAt((int)(0.93 * moments.Count)) / 1000;
        var rates = new Axis(RatesTop, RatesHeight, Math.Max(moments.Max(m => m.Rate) / 1000, Math.Min(highest, 1.6 * usual)), 5);
        var queue = new Axis(QueueTop, QueueHeight, Math.Max(moments.Max(m => m.QueueSeconds), 1), 3);
        double X(double seconds) => Left + Width * seconds / end;

        svg.Append(CultureInfo.InvariantCulture, $"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {Left + Width + Right} {Bottom + 46}\" width=\"{Left + Width + Right}\" height=\"{Bottom + 46}\" font-family=\"DejaVu Sans, Verdana, sans-serif\" font-size=\"12\" fill=\"#222\">\n");
        svg.Append("<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n");
        Text(svg, Left, 22, title, "font-size=\"15\"");
        Legend(svg);
        Grid(svg, rates, "kbit/s");
        Grid(svg, queue, "queue, s");
        Time(svg, end, X);
        svg.Append(CultureInfo.InvariantCulture, $"<clipPath id=\"rates\"><rect x=\"{Left}\" y=\"{RatesTop - 1}\" width=\"{Width}\" height=\"{RatesHeight + 2}\"/></clipPath>\n<g clip-path=\"url(#rates)\">\n");
        var capacity = Points(moments, m => m.Capacity / 1000, rates, X);
        svg.Append(CultureInfo.InvariantCulture, $"<path d=\"M{X(moments[0].At):0.#} {rates.Y(0):0.#}L{string.Join(' ', capacity)}L{X(moments[^1].At):0.#} {rates.Y(0):0.#}Z\" fill=\"#ddd\" stroke=\"none\"/>\n");
        Line(svg, [capacity], "#777");
        Line(svg, Runs(moments, m => m.Estimate > 0).Select(run => Points(run, m => m.Estimate / 1000, rates, X)), "#1f63b4");
        Line(svg, [Points(moments, m => m.Rate / 1000, rates, X)], "#d6550a");
        svg.Append("</g>\n");
        if (highest > rates.Most)
            Text(svg, Left + Width - 6, RatesTop + 16, string.Create(CultureInfo.InvariantCulture, $"cut off above: up to {highest:0} kbit/s"), "text-anchor=\"end\" fill=\"#777\"");
        Line(svg, [Points(moments, m => m.QueueSeconds, queue, X)], "#7b3294");
        foreach (var run in Runs(moments, _ => true, m => m.Mode))
            Band(svg, run[0].Mode, X(run[0].At), Math.Min(X(run[^1].At + 0.1), Left + Width));
        svg.Append("</svg>\n");
        return svg.ToString();
    }

    private static void Legend(StringBuilder svg)
    {
        var x = Left;
        foreach (var (colour, width, name) in new[] { ("#ddd", 10, "capacity"), ("#1f63b4", 3, "estimate"), ("#d6550a", 3, "rate that may be spent"), ("#7b3294", 3, "queue: how long the link will take for what waits") })
        {
            svg.Append(CultureInfo.InvariantCulture, $"<rect x=\"{x}\" y=\"{44 - width / 2}\" width=\"22\" height=\"{width}\" fill=\"{colour}\"/>");
            Text(svg, x + 28, 48, name);
            x += 28 + 24 + (int)(6.9 * name.Length);
        }
    }

    private static void Grid(StringBuilder svg, Axis axis, string unit)
    {
        for (var value = 0.0; value <= axis.Most + 1e-9; value += axis.Step)
        {
            svg.Append(CultureInfo.InvariantCulture, $"<path d=\"M{Left} {axis.Y(value):0.#}h{Width}\" stroke=\"#e8e8e8\"/>");
            Text(svg, Left - 6, axis.Y(value) + 4, value.ToString("0.##", CultureInfo.InvariantCulture), "text-anchor=\"end\"");
        }

        Text(svg, 0, 0, unit, string.Create(CultureInfo.InvariantCulture, $"text-anchor=\"middle\" transform=\"translate(18 {axis.Top + axis.Height / 2}) rotate(-90)\""));
        Frame(svg, axis.Top, axis.Height);
    }

    private static void Time(StringBuilder svg, double end, Func<double, double> x)
    {
        Frame(svg, BandTop, BandHeight);
        Text(svg, Left - 6, BandTop + 15, "mode", "text-anchor=\"end\"");
        var step = end > 240 ? 30 : end > 120 ? 20 : 10;
        for (var at = 0; at <= end; at += step)
        {
            svg.Append(CultureInfo.InvariantCulture, $"<path d=\"M{x(at):0.#} {RatesTop}v{RatesHeight}M{x(at):0.#} {QueueTop}v{QueueHeight}\" stroke=\"#e8e8e8\"/><path d=\"M{x(at):0.#} {Bottom}v4\" stroke=\"#444\"/>");
            Text(svg, x(at), Bottom + 18, at.ToString(CultureInfo.InvariantCulture), "text-anchor=\"middle\"");
        }

        Text(svg, Left + Width / 2, Bottom + 38, "time, s", "text-anchor=\"middle\"");
    }

    private static void Band(StringBuilder svg, StreamMode mode, double from, double to)
    {
        var (name, colour) = mode == StreamMode.Tt2V ? ("TT2V", "#f6c8a0") : ("IT2V", "#bfe3c6");
        svg.Append(CultureInfo.InvariantCulture, $"<rect x=\"{from:0.#}\" y=\"{BandTop}\" width=\"{to - from:0.#}\" height=\"{BandHeight}\" fill=\"{colour}\"/>");
        if (to - from > 40)
            Text(svg, (from + to) / 2, BandTop + 15, name, "text-anchor=\"middle\"");
    }

    private static void Frame(StringBuilder svg, int top, int height) =>
        svg.Append(CultureInfo.InvariantCulture, $"<rect x=\"{Left}\" y=\"{top}\" width=\"{Width}\" height=\"{height}\" fill=\"none\" stroke=\"#999\"/>\n");

    private static void Text(StringBuilder svg, double x, double y, string text, string attributes = "") =>
        svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{x:0.#}\" y=\"{y:0.#}\" {attributes}>{SecurityElement.Escape(text)}</text>\n");

    private static void Line(StringBuilder svg, IEnumerable<IReadOnlyList<string>> runs, string colour)
    {
        svg.Append("<path d=\"");
        foreach (var run in runs)
            svg.Append('M').AppendJoin(' ', run);
        svg.Append(CultureInfo.InvariantCulture, $"\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.4\" stroke-linejoin=\"round\"/>\n");
    }

    /// <summary>Neighbours that belong together.</summary>
    private static IEnumerable<List<LinkMoment>> Runs(IEnumerable<LinkMoment> moments, Func<LinkMoment, bool> take, Func<LinkMoment, StreamMode>? by = null)
    {
        var run = new List<LinkMoment>();
        foreach (var moment in moments)
        {
            if (run.Count > 0 && (!take(moment) || (by is not null && by(moment) != by(run[^1]))))
            {
                yield return run;
                run = [];
            }

            if (take(moment))
                run.Add(moment);
        }

        if (run.Count > 0)
            yield return run;
    }

    /// <summary>The points of a line: of each few pixels of time the lowest and the highest, and none in the middle of a level stretch.</summary>
    private static List<string> Points(IReadOnlyList<LinkMoment> moments, Func<LinkMoment, double> value, Axis axis, Func<double, double> x)
    {
        var points = new List<(double X, double Y)>();
        foreach (var group in moments.GroupBy(m => (int)(x(m.At) / Grain)))
        {
            var all = group.Select(m => (X: Math.Round(x(m.At), 1), Y: Math.Round(axis.Y(value(m)), 1))).ToList();
            var (low, high) = (all.MinBy(p => p.Y), all.MaxBy(p => p.Y));
            points.Add(low.X <= high.X ? low : high);
            if (high.Y - low.Y >= 0.5)
                points.Add(low.X <= high.X ? high : low);
        }

        return [.. points.Where((p, i) => i == 0 || i == points.Count - 1 || points[i - 1].Y != p.Y || points[i + 1].Y != p.Y)
            .Select(p => string.Create(CultureInfo.InvariantCulture, $"{p.X:0.#} {p.Y:0.#}"))];
    }

    /// <summary>A vertical axis from 0 to a round value.</summary>
    private readonly struct Axis
    {
        public Axis(int top, int height, double most, int steps)
        {
            (Top, Height) = (top, height);
            var tenth = Math.Pow(10, Math.Floor(Math.Log10(most / steps)));
            Step = tenth * (Fits(1) ? 1 : Fits(2) ? 2 : Fits(5) ? 5 : 10);
            Most = Step * Math.Ceiling(most / Step - 1e-9);

            bool Fits(int times) => times * tenth * steps >= most * 0.999;
        }

        public int Top { get; }

        public int Height { get; }

        public double Step { get; }

        public double Most { get; }

        public double Y(double value) => Top + Height * (1 - value / Most);
    }
}
