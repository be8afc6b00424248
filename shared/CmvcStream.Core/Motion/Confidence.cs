namespace CmvcStream.Core.Motion;

/// <summary>How far motion fields can be trusted.</summary>
internal static unsafe class Confidence
{
    /// <summary>Disagreement of the motions there and back, in pixels, at which confidence halves.</summary>
    private const float Tolerance = 2;

    /// <summary>Mean difference of the matched windows, in grey levels, at which confidence halves.</summary>
    private const float Difference = 16;

    /// <summary>Fills the field's confidence: does the motion back lead back, and do the windows match?</summary>
    public static void Rate(MotionField field, MotionField back)
    {
        const float cell = 1f / MotionField.Cell;
        for (int j = 0, n = 0; j < field.Rows; j++)
            for (var i = 0; i < field.Columns; i++, n++)
            {
                float dx = field.DxValues[n], dy = field.DyValues[n];
                int bi = Math.Clamp((int)(i + 0.5f + dx * cell), 0, field.Columns - 1), bj = Math.Clamp((int)(j + 0.5f + dy * cell), 0, field.Rows - 1);
                var m = bj * field.Columns + bi;
                float ex = dx + back.DxValues[m], ey = dy + back.DyValues[m];
                var e = (ex * ex + ey * ey) / (Tolerance * Tolerance);
                field.ConfidenceValues[n] = 1 / ((1 + e * e) * (1 + field.Cost[n] / (Difference * BlockKernels.Window * BlockKernels.Window)));
            }
    }

    public static float Mean(MotionField field)
    {
        var sum = 0f;
        foreach (var c in field.ConfidenceValues)
            sum += c;
        return sum / field.ConfidenceValues.Length;
    }

    /// <summary>
    /// Differences along the motion over what a flat picture would differ: near 0 where motion explains the picture, near 1 where any other
    /// picture would do as well. Windows do not overlap.
    /// </summary>
    public static float Unexplained(PaddedPicture from, PaddedPicture to, MotionField field)
    {
        const int window = BlockKernels.Window, step = window / MotionField.Cell;
        PaddedPlane p = from.Luma[0], q = to.Luma[0];
        var flat = stackalloc byte[window * window];
        long differences = 0, detail = 0;
        for (var j = 1; j + 1 < field.Rows; j += step)
            for (var i = 1; i + 1 < field.Columns; i += step)
            {
                var at = p.Origin + (j * MotionField.Cell - window / 4) * p.Stride + i * MotionField.Cell - window / 4;
                var sum = 0;
                for (var y = 0; y < window; y++)
                    for (var x = 0; x < window; x++)
                        sum += at[y * p.Stride + x];
                new Span<byte>(flat, window * window).Fill((byte)((sum + 32) >> 6));
                differences += field.Cost[j * field.Columns + i];
                detail += new BlockKernels.Block(at, p.Stride).Sad(flat, window);
            }

        // A grey level of difference is coding noise, in flat pictures too.
        var noise = (long)field.Columns * field.Rows / (step * step) * window * window;
        return Math.Max(0, differences - noise) / (float)(detail + noise);
    }
}
