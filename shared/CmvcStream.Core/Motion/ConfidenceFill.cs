namespace CmvcStream.Core.Motion;

/// <summary>
/// Replaces what is not trusted in a grid of motions by what is trusted around it (push-pull interpolation: Gortler et al., "The Lumigraph",
/// 1996): where nothing matched, things move as their surroundings do, and nothing tears.
/// </summary>
internal sealed class ConfidenceFill
{
    private readonly Level[] _levels;

    /// <summary>Trust below which the surroundings take over.</summary>
    public const float Enough = 0.01f;

    public ConfidenceFill(int columns, int rows)
    {
        var levels = new List<Level>();
        for (; ; columns = (columns + 1) / 2, rows = (rows + 1) / 2)
        {
            levels.Add(new(columns, rows));
            if (Math.Max(columns, rows) <= 2)
                break;
        }

        _levels = [.. levels];
    }

    /// <summary>Trust of each cell, 0 to 1, to be set before <see cref="Apply"/>, which changes the cells below <see cref="Enough"/>.</summary>
    public float[] Weight => _levels[0].W;

    /// <summary>Changes the motions in place.</summary>
    public void Apply(float[] x, float[] y)
    {
        var first = _levels[0];
        x.CopyTo(first.X, 0);
        y.CopyTo(first.Y, 0);
        for (var l = 1; l < _levels.Length; l++)
            _levels[l].Pull(_levels[l - 1]);
        var last = _levels[^1];
        for (var n = 0; n < last.W.Length; n++)
        {
            // What is trusted nowhere rests.
            var trust = Math.Min(1, last.W[n] / Enough);
            last.X[n] *= trust;
            last.Y[n] *= trust;
        }

        for (var l = _levels.Length - 2; l >= 0; l--)
            _levels[l].Push(_levels[l + 1]);
        first.X.CopyTo(x, 0);
        first.Y.CopyTo(y, 0);
    }

    private sealed class Level(int columns, int rows)
    {
        public float[] X { get; } = new float[columns * rows];

        public float[] Y { get; } = new float[columns * rows];

        public float[] W { get; } = new float[columns * rows];

        private int Columns => columns;

        private int Rows => rows;

        /// <summary>Means of two by two cells of a finer level, weighted by trust.</summary>
        public void Pull(Level finer)
        {
            for (int j = 0, n = 0; j < rows; j++)
                for (var i = 0; i < columns; i++, n++)
                {
                    int l = 2 * i, r = Math.Min(l + 1, finer.Columns - 1), u = 2 * j * finer.Columns;
                    int d = Math.Min(2 * j + 1, finer.Rows - 1) * finer.Columns;
                    float a = finer.W[u + l], b = finer.W[u + r], c = finer.W[d + l], e = finer.W[d + r], sum = a + b + c + e;
                    var scale = 1 / Math.Max(sum, 1e-9f);
                    X[n] = (a * finer.X[u + l] + b * finer.X[u + r] + c * finer.X[d + l] + e * finer.X[d + r]) * scale;
                    Y[n] = (a * finer.Y[u + l] + b * finer.Y[u + r] + c * finer.Y[d + l] + e * finer.Y[d + r]) * scale;
                    W[n] = sum / 4;
                }
        }

        /// <summary>Mixes in the coarser level, interpolated, where trust is short.</summary>
        public void Push(Level coarser)
        {
            for (int j = 0, n = 0; j < rows; j++)
                for (var i = 0; i < columns; i++, n++)
                {
                    var own = Math.Min(1, W[n] / Enough);
                    if (own >= 1)
                        continue;
                    int ci = i / 2, cj = j / 2;
                    int si = Math.Clamp(ci + (i & 1) * 2 - 1, 0, coarser.Columns - 1), sj = Math.Clamp(cj + (j & 1) * 2 - 1, 0, coarser.Rows - 1);
                    int a = cj * coarser.Columns + ci, b = cj * coarser.Columns + si, c = sj * coarser.Columns + ci, d = sj * coarser.Columns + si;
                    var x = (9 * coarser.X[a] + 3 * (coarser.X[b] + coarser.X[c]) + coarser.X[d]) / 16;
                    var y = (9 * coarser.Y[a] + 3 * (coarser.Y[b] + coarser.Y[c]) + coarser.Y[d]) / 16;
                    X[n] += (x - X[n]) * (1 - own);
                    Y[n] += (y - Y[n]) * (1 - own);
                }
        }
    }
}
