using System.Runtime.CompilerServices;
using Block = CmvcStream.Core.Motion.BlockKernels.Block;

namespace CmvcStream.Core.Motion;

/// <summary>The search for one cell's motion between two keyframes: candidates go in, the one along which the keyframes agree best stays.</summary>
internal unsafe ref struct BilateralSearch
{
    private const int Cell = MotionField.Cell;
    private const int Window = BlockKernels.Window;
    private const int Reach = PaddedPlane.Pad - Window;

    /// <summary>Cost of one pixel of difference from all four neighbours' motions, in grey levels summed over a window.</summary>
    private const float Smoothness = 96;

    /// <summary>A jump between neighbours costs at most as much as one of so many pixels: objects have edges.</summary>
    private const float LargestStep = 8;

    /// <summary>A larger difference of windows says no more than this one: what is covered later matches nothing.</summary>
    private const int LargestDifference = 40 * Window * Window;

    /// <summary>Difference ascribed to a motion that leads out of a keyframe, where nothing can be compared.</summary>
    private const int OutsideDifference = 6 * Window * Window;

    private readonly PaddedPlane _a, _b;
    private readonly float _t;
    private readonly int _left, _top;
    private int _neighbours;
    private Four _nx, _ny;
    private float _cost = float.MaxValue;

    public BilateralSearch(PaddedPlane a, PaddedPlane b, float t, int i, int j)
    {
        (_a, _b, _t) = (a, b, t);
        (_left, _top) = (i * Cell - Window / 2 + Cell / 2, j * Cell - Window / 2 + Cell / 2);
    }

    public float X { get; private set; }

    public float Y { get; private set; }

    public int Difference { get; private set; }

    public void Neighbour(float x, float y)
    {
        _nx[_neighbours] = x;
        _ny[_neighbours++] = y;
    }

    /// <summary>Begins with a motion whose difference is known.</summary>
    public void Start(float x, float y, int difference) =>
        (X, Y, Difference, _cost) = (x, y, difference, Jumps(x, y) + difference);

    public void Try(float x, float y)
    {
        // Nearly the same motion as the best so far is not worth a comparison.
        if (_cost != float.MaxValue && Math.Abs(x - X) + Math.Abs(y - Y) < 0.25f)
            return;
        var cost = Jumps(x, y);
        if (cost >= _cost)
            return;
        var difference = Math.Min(Sad(x, y), LargestDifference);
        cost += difference;
        if (cost < _cost)
            (_cost, X, Y, Difference) = (cost, x, y, difference);
    }

    private readonly float Jumps(float x, float y)
    {
        var sum = 0f;
        for (var k = 0; k < _neighbours; k++)
            sum += Math.Min(Math.Abs(x - _nx[k]) + Math.Abs(y - _ny[k]), LargestStep);
        return sum * Smoothness / Math.Max(_neighbours, 1);
    }

    public readonly int Sad(float x, float y)
    {
        float px = _left + Window / 2 - _t * x, py = _top + Window / 2 - _t * y, qx = px + x, qy = py + y;
        if (Math.Min(Math.Min(px, py), Math.Min(qx, qy)) < 0 || Math.Max(px, qx) >= _a.Width || Math.Max(py, qy) >= _a.Height)
            return OutsideDifference;

        int ax = (int)MathF.Round(-_t * x), ay = (int)MathF.Round(-_t * y);
        int bx = ax + (int)MathF.Round(x), by = ay + (int)MathF.Round(y);
        ax = Math.Clamp(_left + ax, -Reach, _a.Width + Reach - Window);
        ay = Math.Clamp(_top + ay, -Reach, _a.Height + Reach - Window);
        bx = Math.Clamp(_left + bx, -Reach, _b.Width + Reach - Window);
        by = Math.Clamp(_top + by, -Reach, _b.Height + Reach - Window);
        return new Block(_a.Origin + ay * _a.Stride + ax, _a.Stride).Sad(_b.Origin + by * _b.Stride + bx, _b.Stride);
    }

    [InlineArray(4)]
    private struct Four
    {
        private float _first;
    }
}
