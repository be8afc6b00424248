using System.Globalization;
using System.Net;
using System.Text;

namespace CmvcStream.Evaluate.Report;

/// <summary>A curve or a set of points of a chart.</summary>
/// <param name="Name">For the legend.</param>
/// <param name="Colour">CSS colour.</param>
/// <param name="Points">(kbit/s, metric), from the fewest to the most.</param>
/// <param name="Strong">Drawn thick, with marks.</param>
internal sealed record ChartLine(string Name, string Colour, IReadOnlyList<(double X, double Y)> Points, bool Strong = false);

/// <summary>A metric over the rate, its axis logarithmic, as SVG.</summary>
internal static class SvgChart
{
    private const double Width = 300, Height = 200, Left = 44, Right = 8, Top = 20, Bottom = 26;
    private static readonly double[] Ticks = [0.5, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512];

    public static string Draw(string title, IReadOnlyList<ChartLine> lines, double leastKbps, double mostKbps)
    {
        var (x0, x1) = (Math.Log(leastKbps / 1.15), Math.Log(mostKbps * 1.15));
        var shown = lines.SelectMany(l => l.Points).Where(p => Math.Log(p.X) >= x0 && Math.Log(p.X) <= x1).Select(p => p.Y).ToArray();
        if (shown.Length == 0)
            return "";
        var (y0, y1) = (shown.Min(), shown.Max());
        var margin = Math.Max((y1 - y0) * .06, Math.Abs(y1) * 1e-3 + 1e-6);
        (y0, y1) = (y0 - margin, y1 + margin);
        double X(double kbps) => Left + ((Math.Log(kbps) - x0) / (x1 - x0) * (Width - Left - Right));
        double Y(double value) => Top + ((y1 - value) / (y1 - y0) * (Height - Top - Bottom));
        var svg = new StringBuilder();
        svg.Append(Invariant($"<svg viewBox=\"0 0 {Width} {Height}\" width=\"{Width}\" height=\"{Height}\" role=\"img\" aria-label=\"{WebUtility.HtmlEncode(title)}\">"));
        svg.Append(Invariant($"<text x=\"{Left}\" y=\"13\" class=\"t\">{WebUtility.HtmlEncode(title)}</text><clipPath id=\"c\"><rect x=\"{Left}\" y=\"{Top}\" width=\"{Width - Left - Right}\" height=\"{Height - Top - Bottom}\"/></clipPath>"));
        foreach (var tick in Ticks.Where(t => Math.Log(t) > x0 && Math.Log(t) < x1))
            svg.Append(Invariant($"<path d=\"M{X(tick):0.0} {Top}V{Height - Bottom}\" class=\"g\"/><text x=\"{X(tick):0.0}\" y=\"{Height - 12}\" class=\"a\" text-anchor=\"middle\">{tick}</text>"));
        for (var i = 0; i <= 3; i++)
        {
            var value = y0 + ((y1 - y0) * i / 3);
            svg.Append(Invariant($"<path d=\"M{Left} {Y(value):0.0}H{Width - Right}\" class=\"g\"/><text x=\"{Left - 4}\" y=\"{Y(value) + 3:0.0}\" class=\"a\" text-anchor=\"end\">{value.ToString(Math.Abs(y1) >= 10 ? "0.0" : "0.000", CultureInfo.InvariantCulture)}</text>"));
        }

        foreach (var line in lines.Where(l => l.Points.Count > 0))
        {
            var path = string.Join('L', line.Points.Select(p => Invariant($"{X(p.X):0.0} {Y(p.Y):0.0}")));
            svg.Append(Invariant($"<path d=\"M{path}\" fill=\"none\" stroke=\"{line.Colour}\" stroke-width=\"{(line.Strong ? 2.5 : 1.3)}\" clip-path=\"url(#c)\"/>"));
            foreach (var (x, y) in line.Points.Where(p => Math.Log(p.X) >= x0 && Math.Log(p.X) <= x1))
                svg.Append(Invariant($"<circle cx=\"{X(x):0.0}\" cy=\"{Y(y):0.0}\" r=\"{(line.Strong ? 3 : 1.8)}\" fill=\"{line.Colour}\"><title>{WebUtility.HtmlEncode(line.Name)}: {x:0.00} kbit/s, {y:0.####}</title></circle>"));
        }

        return svg.Append(Invariant($"<text x=\"{Width - Right}\" y=\"{Height - 1}\" class=\"a\" text-anchor=\"end\">kbit/s</text></svg>")).ToString();
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
