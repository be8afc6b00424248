namespace CmvcStream.Evaluate.Metrics;

/// <summary>A measured point of a codec: what it sent a second, and how good that was.</summary>
internal readonly record struct RatePoint(double Kbps, double Metric);

/// <summary>How a curve is drawn through the points.</summary>
internal enum CurveFit
{
    /// <summary>PCHIP, the practice of JCT-VC and JVET since HEVC: no swing between the points.</summary>
    PiecewiseCubic,

    /// <summary>One cubic polynomial (least squares beyond four points), VCEG-M33's: to compare with older papers.</summary>
    Cubic,
}

/// <summary>What two curves have in common on one axis: an interval in the axis's units, and its share of each curve's own, 0 to 1.</summary>
internal readonly record struct CurveOverlap(double From, double To, double OfAnchor, double OfTest);

/// <summary>The outcome of a comparison of two curves; a value is null where they have nothing to compare.</summary>
internal sealed record BjontegaardResult
{
    /// <summary>BD-rate in per cent: mean difference of rate at equal metric. Negative: the test sends less than the anchor.</summary>
    public double? RatePercent { get; init; }

    /// <summary>Mean difference of the metric at equal (logarithmic) rate, test less anchor, in the metric's unit and own direction.</summary>
    public double? MetricDelta { get; init; }

    /// <summary>Metrics over which the rates were compared. Judge the BD-rate by its shares: of a sliver it says little.</summary>
    public CurveOverlap? Metrics { get; init; }

    /// <summary>Rates in kbit/s over which the metrics were compared; the shares are of logarithms.</summary>
    public CurveOverlap? Rates { get; init; }

    /// <summary>Points that made the anchor's curve.</summary>
    public int AnchorPoints { get; init; }

    /// <summary>Points that made the test's curve.</summary>
    public int TestPoints { get; init; }

    /// <summary>What a reader has to know with the numbers, or why there is none; empty when all is as it should be.</summary>
    public required string Note { get; init; }
}

/// <summary>
/// Bjøntegaard's mean differences between two rate-quality curves (VCEG-M33, 2001), drawn over the logarithm of the rate.
/// </summary>
/// <remarks>
/// A curve is made of its efficient points: by rising rate, those that are better than all before; one that costs as much or more and is not
/// better is left out, and so are duplicates. A codec would not be run there, and an interpolant over the metric needs it to rise.
/// The note counts what was left out. JCT-VC takes four points; PCHIP takes two (a straight line) or three as well, the cubic fit lowers its
/// degree, and the note says so. One point makes no curve.
/// </remarks>
internal static class BjontegaardDelta
{
    private const int Usual = 4;

    /// <param name="anchor">The curve to compare with, in any order.</param>
    /// <param name="test">The curve to judge, in any order.</param>
    /// <param name="higherIsBetter">False for distances such as LPIPS.</param>
    /// <param name="fit">How the curves are drawn.</param>
    /// <exception cref="ArgumentException">A rate is not positive or a metric not a number.</exception>
    public static BjontegaardResult Compare(
        IReadOnlyCollection<RatePoint> anchor, IReadOnlyCollection<RatePoint> test,
        bool higherIsBetter = true, CurveFit fit = CurveFit.PiecewiseCubic)
    {
        var sign = higherIsBetter ? 1 : -1;
        RatePoint[] a = Efficient(anchor, sign), b = Efficient(test, sign);
        List<string> notes = [.. Remarks("anchor", anchor.Count, a.Length), .. Remarks("test", test.Count, b.Length)];
        var result = new BjontegaardResult { AnchorPoints = a.Length, TestPoints = b.Length, Note = "" };
        if (a.Length > 1 && b.Length > 1)
        {
            double[] aRate = [.. a.Select(p => Math.Log10(p.Kbps))], bRate = [.. b.Select(p => Math.Log10(p.Kbps))];
            double[] aGood = [.. a.Select(p => sign * p.Metric)], bGood = [.. b.Select(p => sign * p.Metric)];
            if (Overlap(aGood, bGood) is { } good)
            {
                var gap = Mean(bGood, bRate, good, fit) - Mean(aGood, aRate, good, fit);
                var (from, to) = higherIsBetter ? (good.From, good.To) : (-good.To, -good.From);
                result = result with { RatePercent = 100 * (Math.Pow(10, gap) - 1), Metrics = good with { From = from, To = to } };
            }
            else
            {
                notes.Add("no metric is reached by both, so there is no rate to compare");
            }

            if (Overlap(aRate, bRate) is { } rate)
            {
                result = result with
                {
                    MetricDelta = sign * (Mean(bRate, bGood, rate, fit) - Mean(aRate, aGood, rate, fit)),
                    Rates = rate with { From = Math.Pow(10, rate.From), To = Math.Pow(10, rate.To) },
                };
            }
            else
            {
                notes.Add("no rate is used by both, so there is no metric to compare");
            }
        }

        return result with { Note = string.Join("; ", notes) };
    }

    private static IEnumerable<string> Remarks(string name, int given, int kept)
    {
        if (kept < given)
            yield return $"{given - kept} of {given} points of the {name} left out: no better than a cheaper one";
        if (kept < 2)
            yield return $"the {name} has {kept} point{(kept == 1 ? "" : "s")}: two at least make a curve";
        else if (kept < Usual)
            yield return $"the {name} has {kept} points, {Usual} are usual";
    }

    private static RatePoint[] Efficient(IEnumerable<RatePoint> points, int sign)
    {
        List<RatePoint> kept = [];
        foreach (var p in points.OrderBy(p => p.Kbps).ThenByDescending(p => sign * p.Metric))
        {
            if (!double.IsFinite(p.Kbps) || p.Kbps <= 0 || !double.IsFinite(p.Metric))
                throw new ArgumentException($"a point of {p.Kbps} kbit/s and {p.Metric}: give a positive rate and a metric", nameof(points));
            if (kept.Count == 0 || sign * p.Metric > sign * kept[^1].Metric)
                kept.Add(p);
        }

        return [.. kept];
    }

    private static CurveOverlap? Overlap(double[] anchor, double[] test)
    {
        double from = Math.Max(anchor[0], test[0]), to = Math.Min(anchor[^1], test[^1]);
        return from < to ? new(from, to, (to - from) / (anchor[^1] - anchor[0]), (to - from) / (test[^1] - test[0])) : null;
    }

    private static double Mean(double[] x, double[] y, CurveOverlap over, CurveFit fit)
    {
        var integral = fit == CurveFit.Cubic ? CubicIntegral(x, y, over.From, over.To) : new PiecewiseCubic(x, y).Integral(over.From, over.To);
        return integral / (over.To - over.From);
    }

    /// <summary>The integral of the least-squares polynomial of third degree, lower where the points are fewer.</summary>
    private static double CubicIntegral(double[] x, double[] y, double from, double to)
    {
        // Over -1 to 1, for the sums of sixth powers.
        double middle = (x[0] + x[^1]) / 2, half = (x[^1] - x[0]) / 2;
        double[] u = [.. x.Select(v => (v - middle) / half)];
        var n = Math.Min(Usual, x.Length);
        var rows = new double[n][];
        for (var i = 0; i < n; i++)
        {
            var power = i;
            var right = u.Zip(y).Sum(p => Math.Pow(p.First, power) * p.Second);
            rows[i] = [.. Enumerable.Range(power, n).Select(k => u.Sum(v => Math.Pow(v, k))), right];
        }

        var coefficients = Solve(rows);
        double Primitive(double v) => half * coefficients.Select((c, k) => c * Math.Pow((v - middle) / half, k + 1) / (k + 1)).Sum();
        return Primitive(to) - Primitive(from);
    }

    /// <summary>Gauss's elimination of positive definite normal equations, which needs no pivots; each row ends with its right side.</summary>
    private static double[] Solve(double[][] rows)
    {
        var n = rows.Length;
        for (var i = 0; i < n; i++)
            for (var j = 0; j < n; j++)
            {
                if (j == i)
                    continue;
                var factor = rows[j][i] / rows[i][i];
                for (var k = i; k <= n; k++)
                    rows[j][k] -= factor * rows[i][k];
            }

        return [.. rows.Select((row, i) => row[n] / row[i])];
    }
}
