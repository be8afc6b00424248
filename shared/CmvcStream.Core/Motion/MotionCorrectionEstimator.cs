using CmvcStream.Core.Media;

namespace CmvcStream.Core.Motion;

/// <summary>What a correction brings, as sums of squared luma errors against the real picture: without it, with its time warp alone, with all of it.</summary>
public readonly record struct CorrectionGain(long Without, long WithTimeWarp, long With)
{
    /// <summary>Decrease of the sum of squared errors.</summary>
    public long Gain => Without - With;

    /// <summary>Decrease that the time warp alone brings.</summary>
    public long TimeWarpGain => Without - WithTimeWarp;
}

/// <summary>
/// Finds the correction with which an interpolated picture comes nearest to the real one, by least squares on the picture's gradients (Lucas and
/// Kanade, 1981), coarse to fine. For the sender. Not safe for use by two threads at once.
/// </summary>
public sealed unsafe class MotionCorrectionEstimator
{
    private const int Columns = MotionCorrection.Columns, Rows = MotionCorrection.Rows;

    /// <summary>A node stays at zero unless it lowers the squared error around it by this part.</summary>
    private const double LeastNodeGain = 0.04;

    /// <summary>A larger difference than this, in grey levels, is no small displacement: it counts as this much.</summary>
    private const int Outlier = 48;

    private readonly VideoFrame _made;
    private readonly PaddedPicture _real, _picture;
    private readonly MotionCorrection _trial = new();
    private readonly Normal[] _nodes = new Normal[Columns * Rows];
    private readonly double[] _errors = new double[Columns * Rows], _newErrors = new double[Columns * Rows];

    public MotionCorrectionEstimator(PixelSize size)
    {
        Size = size;
        _made = VideoFrame.Allocate(size);
        _real = new(size);
        _picture = new(size);
    }

    public PixelSize Size { get; }

    /// <summary>Estimates the correction for one picture; zero where nothing is gained.</summary>
    /// <param name="interpolator">Prepared with the keyframes as the receiver has them.</param>
    /// <param name="real">The real picture at that time.</param>
    /// <param name="t">Its time between the keyframes, 0 to 1.</param>
    /// <param name="result">Receives the correction.</param>
    /// <param name="errorPerByte">
    /// What a byte is worth, as a decrease of the sum of squared luma errors: nodes and time warps that bring less than their bytes are left out.
    /// </param>
    /// <exception cref="ArgumentException">A size differs.</exception>
    public CorrectionGain Estimate(FrameInterpolator interpolator, VideoFrame real, float t, MotionCorrection result, double errorPerByte = 0)
    {
        ArgumentNullException.ThrowIfNull(interpolator);
        ArgumentNullException.ThrowIfNull(real);
        ArgumentNullException.ThrowIfNull(result);
        if (interpolator.Size != Size || real.Size != Size)
            throw new ArgumentException($"this works on {Size}, not on {interpolator.Size} and {real.Size}");
        result.Clear();
        var without = Make(interpolator, t, real, result);
        if (interpolator.IsCut)
            return new(without, without, without);
        _real.CopyLumaFrom(real);
        var withWarp = EstimateTimeWarp(interpolator, real, t, result, without);
        if (without - withWarp < errorPerByte)
        {
            result.TimeWarp = 0;
            withWarp = Make(interpolator, t, real, result);
        }

        var with = EstimateGrid(interpolator, real, t, result, withWarp, errorPerByte);
        return new(without, withWarp, with);
    }

    private long EstimateTimeWarp(FrameInterpolator interpolator, VideoFrame real, float t, MotionCorrection result, long best)
    {
        for (var level = Coarsest(interpolator); level >= 1; level--)
        {
            _trial.Clear();
            _trial.TimeWarp = result.TimeWarp + SolveTimeWarp(interpolator.Intermediate, level);
            _trial.TimeWarp = Math.Clamp(_trial.TimeWarp, -MotionCorrection.MaxTimeWarp, MotionCorrection.MaxTimeWarp);
            if (_trial.TimeWarp != result.TimeWarp)
                Keep(interpolator, real, t, result, ref best);
        }

        return best;
    }

    private long EstimateGrid(FrameInterpolator interpolator, VideoFrame real, float t, MotionCorrection result, long best, double errorPerByte)
    {
        for (var level = Coarsest(interpolator); level >= 1; level--)
        {
            var before = best;
            NodeErrors(_errors);
            SolveGrid(level);
            result.CopyTo(_trial);
            for (var n = 0; n < _nodes.Length; n++)
            {
                var (dx, dy) = _nodes[n].Solve(1 << level);
                _trial.Dx[n] = Math.Clamp(_trial.Dx[n] + dx, -MotionCorrection.MaxDisplacement, MotionCorrection.MaxDisplacement);
                _trial.Dy[n] = Math.Clamp(_trial.Dy[n] + dy, -MotionCorrection.MaxDisplacement, MotionCorrection.MaxDisplacement);
            }

            // Nodes that brought too little go back to what they were, then the rest has to prove itself.
            Make(interpolator, t, real, _trial);
            NodeErrors(_newErrors);
            for (var n = 0; n < _nodes.Length; n++)
            {
                // Both errors are of the halved picture: four pixels count as one. A node takes about a byte.
                if (_errors[n] - _newErrors[n] < Math.Max(LeastNodeGain * _errors[n], errorPerByte / 4))
                    (_trial.Dx[n], _trial.Dy[n]) = (result.Dx[n], result.Dy[n]);
            }

            Keep(interpolator, real, t, result, ref best);
            if (best == before)
                break;
        }

        return best;
    }

    /// <summary>Takes the trial if it is better; the picture made last is always the result's.</summary>
    private void Keep(FrameInterpolator interpolator, VideoFrame real, float t, MotionCorrection result, ref long best)
    {
        var error = Make(interpolator, t, real, _trial);
        if (error < best)
        {
            best = error;
            _trial.CopyTo(result);
        }
        else
        {
            Make(interpolator, t, real, result);
        }
    }

    private long Make(FrameInterpolator interpolator, float t, VideoFrame real, MotionCorrection correction)
    {
        interpolator.InterpolateLuma(t, correction, _made);
        _picture.CopyLumaFrom(_made);
        return FrameDistance.LumaSquaredError(_made, real);
    }

    private static int Coarsest(FrameInterpolator interpolator) => interpolator.Size.Width >= 320 ? 2 : 1;

    /// <summary>Steps by which the picture's motion is behind the real one's.</summary>
    private int SolveTimeWarp(IntermediateField field, int level)
    {
        PaddedPlane p = _picture.Luma[level], r = _real.Luma[level];
        double numerator = 0, denominator = 0;
        for (var y = 0; y < p.Height; y++)
            for (var x = 0; x < p.Width; x++)
            {
                var n = Math.Min((y << level) / MotionField.Cell, field.Rows - 1) * field.Columns
                    + Math.Min((x << level) / MotionField.Cell, field.Columns - 1);
                var (gx, gy, e) = Pixel(p, r, x, y);
                // Going further along the motion moves the content on: the pixel here becomes what lies behind.
                var slope = -(gx * field.Dx[n] + gy * field.Dy[n]) / (1 << level);
                numerator += slope * e;
                denominator += slope * slope;
            }

        return denominator < 1 ? 0 : (int)Math.Round(numerator / denominator * MotionCorrection.StepsPerGap);
    }

    /// <summary>Normal equations of each node's displacement, its pixels weighted as the bilinear interpolation weights them.</summary>
    private void SolveGrid(int level)
    {
        Array.Clear(_nodes);
        PaddedPlane p = _picture.Luma[level], r = _real.Luma[level];
        for (var y = 0; y < p.Height; y++)
        {
            var (j, fy) = Place(y, p.Height, Rows);
            for (var x = 0; x < p.Width; x++)
            {
                var (i, fx) = Place(x, p.Width, Columns);
                var (gx, gy, e) = Pixel(p, r, x, y);
                var n = j * Columns + i;
                _nodes[n].Add(gx, gy, e, (1 - fx) * (1 - fy));
                _nodes[n + 1].Add(gx, gy, e, fx * (1 - fy));
                _nodes[n + Columns].Add(gx, gy, e, (1 - fx) * fy);
                _nodes[n + Columns + 1].Add(gx, gy, e, fx * fy);
            }
        }
    }

    private void NodeErrors(double[] errors)
    {
        Array.Clear(errors);
        PaddedPlane p = _picture.Luma[1], r = _real.Luma[1];
        for (var y = 0; y < p.Height; y++)
        {
            var (j, fy) = Place(y, p.Height, Rows);
            for (var x = 0; x < p.Width; x++)
            {
                var (i, fx) = Place(x, p.Width, Columns);
                double e = r.Origin[y * r.Stride + x] - p.Origin[y * p.Stride + x];
                errors[(fy < 0.5f ? j : j + 1) * Columns + (fx < 0.5f ? i : i + 1)] += e * e;
            }
        }
    }

    private static (int Node, float Fraction) Place(int x, int width, int nodes)
    {
        var g = Math.Clamp((x + 0.5f) / width * nodes - 0.5f, 0, nodes - 1);
        var i = Math.Min((int)g, nodes - 2);
        return (i, g - i);
    }

    private static (float Gx, float Gy, float Error) Pixel(PaddedPlane p, PaddedPlane r, int x, int y)
    {
        byte* q = p.Origin + y * p.Stride + x;
        float gx = (q[1] - q[-1]) * 0.5f, gy = (q[p.Stride] - q[-p.Stride]) * 0.5f;
        return (gx, gy, Math.Clamp(r.Origin[y * r.Stride + x] - q[0], -Outlier, Outlier));
    }

    private struct Normal
    {
        private double _xx, _xy, _yy, _xe, _ye;

        public void Add(float gx, float gy, float e, float weight)
        {
            float wx = weight * gx, wy = weight * gy;
            _xx += wx * gx;
            _xy += wx * gy;
            _yy += wy * gy;
            _xe += wx * e;
            _ye += wy * e;
        }

        /// <summary>Displacement of the content in steps, given the pixels' size in luma pixels.</summary>
        public readonly (int Dx, int Dy) Solve(int pixel)
        {
            // A few per cent of the gradient's energy on the diagonal keeps flat and striped regions still.
            var damping = 0.03 * (_xx + _yy) + 50;
            double xx = _xx + damping, yy = _yy + damping, determinant = xx * yy - _xy * _xy;
            var scale = -pixel * MotionCorrection.StepsPerPixel / determinant;
            return (Steps(scale * (yy * _xe - _xy * _ye)), Steps(scale * (xx * _ye - _xy * _xe)));
        }

        private static int Steps(double v) => (int)Math.Round(Math.Clamp(v, -16, 16));
    }
}
