namespace CmvcStream.Core.Motion;

/// <summary>
/// What the sender says about the motion at one time between two keyframes, beyond what both sides find by themselves: how far in its way the
/// motion is (real motion is not even), and a coarse grid of displacements, interpolated linearly between its nodes.
/// </summary>
public sealed class MotionCorrection
{
    /// <summary>Nodes across; node i is at (i + 0.5) / Columns of the width.</summary>
    public const int Columns = 8;

    /// <summary>Nodes down; node j is at (j + 0.5) / Rows of the height.</summary>
    public const int Rows = 5;

    /// <summary>Steps of the displacements a luma pixel.</summary>
    public const int StepsPerPixel = 4;

    /// <summary>Steps of the time warp in the time between the keyframes.</summary>
    public const int StepsPerGap = 64;

    /// <summary>Largest magnitude of a displacement, in steps.</summary>
    public const int MaxDisplacement = 63;

    /// <summary>Largest magnitude of the time warp, in steps.</summary>
    public const int MaxTimeWarp = StepsPerGap / 2;

    private readonly int[] _dx = new int[Columns * Rows], _dy = new int[Columns * Rows];

    /// <summary>How far the motion is ahead (positive) of even motion, in 1 / <see cref="StepsPerGap"/> of the gap.</summary>
    public int TimeWarp { get; set; }

    /// <summary>Displacement of the content to the right at each node, row by row, in 1 / <see cref="StepsPerPixel"/> pixel.</summary>
    public Span<int> Dx => _dx;

    /// <summary>Displacement of the content downwards.</summary>
    public Span<int> Dy => _dy;

    public bool HasGrid => _dx.AsSpan().ContainsAnyExcept(0) || _dy.AsSpan().ContainsAnyExcept(0);

    public bool IsZero => TimeWarp == 0 && !HasGrid;

    public void Clear()
    {
        TimeWarp = 0;
        ClearGrid();
    }

    public void ClearGrid()
    {
        Dx.Clear();
        Dy.Clear();
    }

    public void CopyTo(MotionCorrection other)
    {
        ArgumentNullException.ThrowIfNull(other);
        other.TimeWarp = TimeWarp;
        Dx.CopyTo(other.Dx);
        Dy.CopyTo(other.Dy);
    }

    /// <summary>
    /// The correction at any time of the gap, linear between those sent: <paramref name="sent"/> k of n is for time (k + 1) / (n + 1), and at
    /// the keyframes themselves there is none.
    /// </summary>
    public static void Sample(ReadOnlySpan<MotionCorrection> sent, float t, MotionCorrection result)
    {
        ArgumentNullException.ThrowIfNull(result);
        var place = Math.Clamp(t, 0, 1) * (sent.Length + 1);
        var k = Math.Min((int)place, sent.Length);
        var f = place - k;
        var before = k > 0 ? sent[k - 1] : null;
        var after = k < sent.Length ? sent[k] : null;
        result.TimeWarp = Mix(before?.TimeWarp ?? 0, after?.TimeWarp ?? 0, f);
        for (var n = 0; n < Columns * Rows; n++)
        {
            result._dx[n] = Mix(before?._dx[n] ?? 0, after?._dx[n] ?? 0, f);
            result._dy[n] = Mix(before?._dy[n] ?? 0, after?._dy[n] ?? 0, f);
        }
    }

    private static int Mix(int a, int b, float f) => (int)MathF.Round(a + (b - a) * f);

    /// <summary>Bilinear value of a grid of nodes at a place (0 to 1 across and down); beyond the outer nodes it stays as it is there.</summary>
    internal static float At(ReadOnlySpan<int> grid, float x, float y)
    {
        float gx = Math.Clamp(x * Columns - 0.5f, 0, Columns - 1), gy = Math.Clamp(y * Rows - 0.5f, 0, Rows - 1);
        int i = Math.Min((int)gx, Columns - 2), j = Math.Min((int)gy, Rows - 2);
        float fx = gx - i, fy = gy - j;
        var n = j * Columns + i;
        return (grid[n] * (1 - fx) + grid[n + 1] * fx) * (1 - fy) + (grid[n + Columns] * (1 - fx) + grid[n + Columns + 1] * fx) * fy;
    }
}
