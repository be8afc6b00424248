namespace CmvcStream.Evaluate.Metrics;

/// <summary>
/// The piecewise cubic Hermite interpolant of Fritsch and Butland (SIAM J. Sci. Stat. Comput. 5, 1984), known as PCHIP: it goes through the
/// points and has no extremum between them. Slopes at the ends by three points, held to the shape, as in JCT-VC's spreadsheets and SciPy.
/// </summary>
internal sealed class PiecewiseCubic
{
    private readonly double[] _x;
    private readonly double[] _y;
    private readonly double[] _slopes;

    /// <param name="x">Strictly rising, two at least; two make a straight line.</param>
    /// <param name="y">As many.</param>
    public PiecewiseCubic(double[] x, double[] y)
    {
        (_x, _y) = (x, y);
        var n = x.Length - 1;
        double[] h = [.. Enumerable.Range(0, n).Select(i => x[i + 1] - x[i])], chords = [.. h.Select((step, i) => (y[i + 1] - y[i]) / step)];
        _slopes = new double[n + 1];
        if (n == 1)
        {
            Array.Fill(_slopes, chords[0]);
            return;
        }

        for (var i = 1; i < n; i++)
        {
            double left = 2 * h[i] + h[i - 1], right = h[i] + 2 * h[i - 1];
            _slopes[i] = chords[i - 1] * chords[i] <= 0 ? 0 : (left + right) / (left / chords[i - 1] + right / chords[i]);
        }

        _slopes[0] = EndSlope(h[0], h[1], chords[0], chords[1]);
        _slopes[n] = EndSlope(h[n - 1], h[n - 2], chords[n - 1], chords[n - 2]);
    }

    /// <summary>The value at a place between the first point and the last.</summary>
    public double At(double x)
    {
        var i = Array.FindLastIndex(_x, _x.Length - 2, start => start <= x);
        var (c0, c1, c2, c3) = Piece(i = Math.Max(i, 0));
        var t = x - _x[i];
        return c0 + t * (c1 + t * (c2 + t * c3));
    }

    /// <summary>The integral between two places within the points.</summary>
    public double Integral(double from, double to)
    {
        var sum = 0.0;
        for (var i = 0; i < _x.Length - 1; i++)
        {
            double start = Math.Max(from, _x[i]), end = Math.Min(to, _x[i + 1]);
            if (start < end)
                sum += Primitive(i, end) - Primitive(i, start);
        }

        return sum;
    }

    private static double EndSlope(double h, double next, double chord, double nextChord)
    {
        var slope = ((2 * h + next) * chord - h * nextChord) / (h + next);
        if (Math.Sign(slope) != Math.Sign(chord))
            return 0;
        return Math.Sign(chord) != Math.Sign(nextChord) && Math.Abs(slope) > 3 * Math.Abs(chord) ? 3 * chord : slope;
    }

    private double Primitive(int i, double x)
    {
        var (c0, c1, c2, c3) = Piece(i);
        var t = x - _x[i];
        return t * (c0 + t * (c1 / 2 + t * (c2 / 3 + t * c3 / 4)));
    }

    /// <summary>Coefficients of a piece by the distance from its left point.</summary>
    private (double C0, double C1, double C2, double C3) Piece(int i)
    {
        double h = _x[i + 1] - _x[i], chord = (_y[i + 1] - _y[i]) / h, left = _slopes[i], right = _slopes[i + 1];
        return (_y[i], left, (3 * chord - 2 * left - right) / h, (left + right - 2 * chord) / (h * h));
    }
}
