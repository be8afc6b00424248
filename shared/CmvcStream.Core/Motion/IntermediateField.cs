using CmvcStream.Core.Media;

namespace CmvcStream.Core.Motion;

/// <summary>
/// Motion at a time between two keyframes, on that time's own grid: what both keyframes' motions bring to a cell are candidates, and the one
/// along which the keyframes agree best (with smoothness among neighbours) is taken. So there are no holes and no pile-ups.
/// </summary>
internal sealed class IntermediateField
{
    private const int Cell = MotionField.Cell;
    private const int Window = BlockKernels.Window;

    private readonly int _columns, _rows;
    private readonly Candidate[] _fromA, _fromB;
    private readonly float[] _x, _y;
    private readonly ConfidenceFill _fill;
    private readonly CellMatch[] _matches;
    private readonly int[] _differences;

    // The figures below were chosen on train clips at 480x270, 15 frames/s, every fifth a keyframe, by LPIPS (flat around the choice).

    /// <summary>Disagreement with a keyframe's own motion, in pixels, at which agreement halves.</summary>
    private const float Disagreement = 1.5f;

    /// <summary>Difference of windows at which trust halves.</summary>
    private const float TrustedDifference = 12 * Window * Window;

    /// <summary>Differences of windows between which the mix of both keyframes becomes a choice of the nearer one.</summary>
    private const float MixedDifference = 6 * Window * Window, ChosenDifference = 20 * Window * Window;

    /// <summary>Weight that a keyframe keeps in which the content seems to be hidden.</summary>
    private const float HiddenWeight = 0.1f;

    public IntermediateField(PixelSize size)
    {
        _columns = (size.Width + Cell - 1) / Cell;
        _rows = (size.Height + Cell - 1) / Cell;
        var n = _columns * _rows;
        _fill = new(_columns, _rows);
        _matches = new CellMatch[n];
        _differences = new int[n];
        _fromA = new Candidate[n];
        _fromB = new Candidate[n];
        _x = new float[n];
        _y = new float[n];
        Dx = new float[n];
        Dy = new float[n];
        Ax = new float[n];
        Ay = new float[n];
        Bx = new float[n];
        By = new float[n];
        Share = new float[n];
    }

    public int Columns => _columns;

    public int Rows => _rows;

    /// <summary>Motion over the whole gap, from the first keyframe to the second, of what is in the cell at the time.</summary>
    public float[] Dx { get; }

    public float[] Dy { get; }

    /// <summary>Where the first keyframe has what is in the cell, relative to the cell, in pixels.</summary>
    public float[] Ax { get; }

    public float[] Ay { get; }

    /// <summary>Where the second keyframe has it.</summary>
    public float[] Bx { get; }

    public float[] By { get; }

    /// <summary>Of the second keyframe, 0 to 1.</summary>
    public float[] Share { get; }

    /// <param name="tm">Place in the motion.</param>
    /// <param name="t">Place in time, for the shares.</param>
    /// <param name="a">First keyframe.</param>
    /// <param name="b">Second keyframe.</param>
    /// <param name="forward">Motion from a to b.</param>
    /// <param name="backward">Motion from b to a.</param>
    public void Project(float tm, float t, PaddedPicture a, PaddedPicture b, MotionField forward, MotionField backward)
    {
        Splat(forward, tm, 1, _fromA);
        Splat(backward, 1 - tm, -1, _fromB);
        Select(tm, a.Luma[0], b.Luma[0]);
        Median.Filter3x3(_x, Dx, _columns, _rows);
        Median.Filter3x3(_y, Dy, _columns, _rows);
        Trust(tm, a.Luma[0], b.Luma[0], forward, backward);
        _fill.Apply(Dx, Dy);
        Weigh(tm, t, a.Luma[0], b.Luma[0], forward, backward);
    }

    private void Splat(MotionField field, float t, float sign, Candidate[] candidates)
    {
        Array.Clear(candidates);
        for (var j = 0; j < _rows; j++)
            for (var i = 0; i < _columns; i++)
            {
                var n = j * _columns + i;
                float dx = field.DxValues[n], dy = field.DyValues[n];
                int ti = (int)MathF.Floor(i + 0.5f + dx * t / Cell), tj = (int)MathF.Floor(j + 0.5f + dy * t / Cell);
                if ((uint)ti >= (uint)_columns || (uint)tj >= (uint)_rows)
                    continue;
                ref var c = ref candidates[tj * _columns + ti];
                var weight = field.ConfidenceValues[n] + 0.01f;
                if (c.Weight < weight)
                    c = new(sign * dx, sign * dy, weight);
            }
    }

    private void Select(float t, PaddedPlane a, PaddedPlane b)
    {
        for (var j = 0; j < _rows; j++)
            for (var i = 0; i < _columns; i++)
            {
                var n = j * _columns + i;
                var s = new BilateralSearch(a, b, t, i, j);
                if (i > 0)
                    s.Neighbour(_x[n - 1], _y[n - 1]);
                if (j > 0)
                    s.Neighbour(_x[n - _columns], _y[n - _columns]);
                s.Try(0, 0);
                if (_fromA[n].Weight > 0)
                    s.Try(_fromA[n].Dx, _fromA[n].Dy);
                if (_fromB[n].Weight > 0)
                    s.Try(_fromB[n].Dx, _fromB[n].Dy);
                if (i > 0)
                    s.Try(_x[n - 1], _y[n - 1]);
                if (j > 0)
                    s.Try(_x[n - _columns], _y[n - _columns]);
                (_x[n], _y[n], _differences[n]) = (s.X, s.Y, s.Difference);
            }

        for (var j = _rows - 1; j >= 0; j--)
            for (var i = _columns - 1; i >= 0; i--)
            {
                var n = j * _columns + i;
                var s = new BilateralSearch(a, b, t, i, j);
                if (i > 0)
                    s.Neighbour(_x[n - 1], _y[n - 1]);
                if (j > 0)
                    s.Neighbour(_x[n - _columns], _y[n - _columns]);
                if (i + 1 < _columns)
                    s.Neighbour(_x[n + 1], _y[n + 1]);
                if (j + 1 < _rows)
                    s.Neighbour(_x[n + _columns], _y[n + _columns]);
                s.Start(_x[n], _y[n], _differences[n]);
                if (i + 1 < _columns)
                    s.Try(_x[n + 1], _y[n + 1]);
                if (j + 1 < _rows)
                    s.Try(_x[n + _columns], _y[n + _columns]);
                (_x[n], _y[n], _differences[n]) = (s.X, s.Y, s.Difference);
            }
    }

    /// <summary>One keyframe as it is.</summary>
    public void Hold(float share)
    {
        Ax.AsSpan().Clear();
        Ay.AsSpan().Clear();
        Bx.AsSpan().Clear();
        By.AsSpan().Clear();
        Share.AsSpan().Fill(share);
    }

    /// <summary>Where the keyframes have what is in each cell, with the correction's grid if it has one.</summary>
    public void Place(float tm, MotionCorrection? correction)
    {
        var grid = correction is { HasGrid: true } ? correction : null;
        const float step = 1f / MotionCorrection.StepsPerPixel;
        for (int j = 0, n = 0; j < _rows; j++)
            for (var i = 0; i < _columns; i++, n++)
            {
                float dx = 0, dy = 0, x = (i + 0.5f) / _columns, y = (j + 0.5f) / _rows;
                if (grid != null)
                    (dx, dy) = (step * MotionCorrection.At(grid.Dx, x, y), step * MotionCorrection.At(grid.Dy, x, y));
                (Ax[n], Ay[n]) = (-tm * Dx[n] - dx, -tm * Dy[n] - dy);
                (Bx[n], By[n]) = ((1 - tm) * Dx[n] - dx, (1 - tm) * Dy[n] - dy);
            }
    }

    /// <summary>Moves the second keyframe on by a part of the gap's motion, where that is to be trusted.</summary>
    public void Extrapolate(float part, MotionField backward)
    {
        for (var n = 0; n < Dx.Length; n++)
        {
            var c = backward.ConfidenceValues[n];
            (_x[n], _y[n]) = (-part * c * backward.DxValues[n], -part * c * backward.DyValues[n]);
        }

        Smooth(_x, Dx);
        Smooth(_y, Dy);
        for (int j = 0, n = 0; j < _rows; j++)
            for (var i = 0; i < _columns; i++, n++)
            {
                // What is here then comes from where its motion leads back to.
                int si = Math.Clamp((int)MathF.Floor(i + 0.5f - Dx[n] / Cell), 0, _columns - 1);
                int sj = Math.Clamp((int)MathF.Floor(j + 0.5f - Dy[n] / Cell), 0, _rows - 1);
                (_x[n], _y[n]) = (-Dx[sj * _columns + si], -Dy[sj * _columns + si]);
            }

        Smooth(_x, Bx);
        Smooth(_y, By);
        Bx.CopyTo(Ax, 0);
        By.CopyTo(Ay, 0);
        Share.AsSpan().Fill(1);
    }

    /// <summary>How far each cell's motion is to be trusted: do the keyframes agree along it, and does one of them confirm it?</summary>
    private void Trust(float tm, PaddedPlane a, PaddedPlane b, MotionField forward, MotionField backward)
    {
        for (int j = 0, n = 0; j < _rows; j++)
            for (var i = 0; i < _columns; i++, n++)
            {
                var m = _matches[n] = Match(tm, a, b, forward, backward, i, j, n);
                var difference = m.Difference / TrustedDifference;
                _fill.Weight[n] = Math.Max(m.InA * m.ConfidenceA, m.InB * m.ConfidenceB) / (1 + difference * difference);
            }
    }

    private void Weigh(float tm, float t, PaddedPlane a, PaddedPlane b, MotionField forward, MotionField backward)
    {
        for (int j = 0, n = 0; j < _rows; j++)
            for (var i = 0; i < _columns; i++, n++)
            {
                var m = _fill.Weight[n] < ConfidenceFill.Enough ? Match(tm, a, b, forward, backward, i, j, n) : _matches[n];
                float ax = -tm * Dx[n], ay = -tm * Dy[n], bx = Dx[n] + ax, by = Dy[n] + ay;
                float wa = (1 - t) * (m.InA + HiddenWeight) * Inside(i, j, ax, ay, a), wb = t * (m.InB + HiddenWeight) * Inside(i, j, bx, by, b);
                var share = (wb + 1e-6f * t) / (wa + wb + 1e-6f);
                // Keyframes that do not agree along the best motion would show as a double picture: the nearer one is shown.
                var sharpen = Math.Clamp((m.Difference - MixedDifference) / (ChosenDifference - MixedDifference), 0, 1);
                _x[n] = Math.Clamp((share - 0.5f) / Math.Max(1 - sharpen, 0.02f) + 0.5f, 0, 1);
            }

        Smooth(_x, Share);
    }

    private CellMatch Match(float tm, PaddedPlane a, PaddedPlane b, MotionField forward, MotionField backward, int i, int j, int n)
    {
        float dx = Dx[n], dy = Dy[n];
        var (inA, confidenceA) = Agreement(forward, i, j, -tm * dx, -tm * dy, dx, dy);
        var (inB, confidenceB) = Agreement(backward, i, j, (1 - tm) * dx, (1 - tm) * dy, -dx, -dy);
        return new(inA, confidenceA, inB, confidenceB, new BilateralSearch(a, b, tm, i, j).Sad(dx, dy));
    }

    /// <summary>1 where the place lies in the picture, falling to 0 half a cell outside: there is only the repeated edge.</summary>
    private static float Inside(int i, int j, float ox, float oy, PaddedPlane plane)
    {
        float x = (i + 0.5f) * Cell + ox, y = (j + 0.5f) * Cell + oy;
        var outside = Math.Max(Math.Max(-x, x - plane.Width), Math.Max(-y, y - plane.Height));
        return Math.Clamp(0.5f - outside / Cell, 0, 1);
    }

    /// <summary>1 where the keyframe itself says that the content at this place moves so, towards 0 where it says otherwise; and its confidence.</summary>
    private static (float Agreement, float Confidence) Agreement(MotionField field, int i, int j, float ox, float oy, float dx, float dy)
    {
        // Half a cell and a thousand more: the conversion then rounds down for negative places too.
        int fi = Math.Clamp((int)(i + 1000.5f + ox * (1f / Cell)) - 1000, 0, field.Columns - 1);
        int fj = Math.Clamp((int)(j + 1000.5f + oy * (1f / Cell)) - 1000, 0, field.Rows - 1);
        var n = fj * field.Columns + fi;
        float ex = field.DxValues[n] - dx, ey = field.DyValues[n] - dy;
        var e = (ex * ex + ey * ey) * (1 / (Disagreement * Disagreement));
        return (1 / (1 + e * e), field.ConfidenceValues[n]);
    }

    private void Smooth(float[] source, float[] destination)
    {
        for (var j = 0; j < _rows; j++)
            for (var i = 0; i < _columns; i++)
            {
                int l = Math.Max(i - 1, 0), r = Math.Min(i + 1, _columns - 1);
                int u = Math.Max(j - 1, 0) * _columns, d = Math.Min(j + 1, _rows - 1) * _columns, m = j * _columns;
                destination[m + i] = (4 * source[m + i] + 2 * (source[m + l] + source[m + r] + source[u + i] + source[d + i])
                    + source[u + l] + source[u + r] + source[d + l] + source[d + r]) / 16;
            }
    }

    /// <summary>How a cell's motion agrees with the keyframes' own motions, and how far the keyframes differ along it.</summary>
    private readonly record struct CellMatch(float InA, float ConfidenceA, float InB, float ConfidenceB, int Difference);

    private readonly record struct Candidate(float Dx, float Dy, float Weight);
}
