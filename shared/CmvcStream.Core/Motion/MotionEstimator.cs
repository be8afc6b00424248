using System.Runtime.CompilerServices;
using CmvcStream.Core.Media;
using Block = CmvcStream.Core.Motion.BlockKernels.Block;

namespace CmvcStream.Core.Motion;

/// <summary>
/// Finds where each cell of one picture is in another: coarse to fine over halved pictures, each level minimising the difference of 8x8
/// windows plus how much a cell's motion differs from its neighbours' (iterated conditional modes, Besag 1986, with the neighbours'
/// motions as candidates), then to fractions of a pixel.
/// </summary>
internal sealed unsafe class MotionEstimator
{
    private const int Cell = MotionField.Cell;
    private const int Window = BlockKernels.Window;

    /// <summary>Full search at the coarsest level, in its pixels, each way.</summary>
    private const int CoarseRange = 10;

    /// <summary>How far a window may reach over the edge.</summary>
    private const int Reach = PaddedPlane.Pad - Window;

    private readonly Level[] _levels;
    private readonly float[] _medianX, _medianY;

    public MotionEstimator(PixelSize size, int levels)
    {
        _levels = new Level[levels];
        int w = size.Width, h = size.Height;
        for (var l = 0; l < levels; l++, w = (w + 1) / 2, h = (h + 1) / 2)
            _levels[l] = new((w + Cell - 1) / Cell, (h + Cell - 1) / Cell);
        _medianX = new float[_levels[0].Columns * _levels[0].Rows];
        _medianY = new float[_levels[0].Columns * _levels[0].Rows];
    }

    /// <summary>Cost of one pixel of difference from one neighbour's motion, in grey levels summed over a window.</summary>
    private const int Smoothness = 8;

    /// <summary>A jump between neighbours costs at most as much as one of so many pixels: objects have edges.</summary>
    private const int LargestStep = 6;

    /// <summary>Rest is preferred by this much: most of most pictures is at rest.</summary>
    private const int RestBonus = 24;

    /// <summary>Windows at rest that differ by less (1.5 grey levels a pixel) are at rest to the fraction of a pixel.</summary>
    private const int Noise = 96;

    /// <summary>Fills the field's motion and cost; not its confidence.</summary>
    public void Estimate(PaddedPicture from, PaddedPicture to, MotionField field)
    {
        var top = _levels.Length - 1;
        SearchFully(from.Luma[top], to.Luma[top], _levels[top]);
        Sweep(from.Luma[top], to.Luma[top], _levels[top], null);
        for (var l = top - 1; l >= 0; l--)
        {
            Inherit(_levels[l], _levels[l + 1]);
            Sweep(from.Luma[l], to.Luma[l], _levels[l], _levels[l + 1]);
        }

        Refine(from.Luma[0], to.Luma[0], _levels[0], field);
        Median.Filter3x3(field.DxValues, _medianX, field.Columns, field.Rows);
        Median.Filter3x3(field.DyValues, _medianY, field.Columns, field.Rows);
        _medianX.CopyTo(field.DxValues, 0);
        _medianY.CopyTo(field.DyValues, 0);
    }

    private static void SearchFully(PaddedPlane from, PaddedPlane to, Level level)
    {
        for (var j = 0; j < level.Rows; j++)
            for (var i = 0; i < level.Columns; i++)
            {
                int x = i * Cell - Window / 2 + Cell / 2, y = j * Cell - Window / 2 + Cell / 2;
                var block = new Block(from.Origin + y * from.Stride + x, from.Stride);
                var best = int.MaxValue;
                for (var dy = -CoarseRange; dy <= CoarseRange; dy++)
                    for (var dx = -CoarseRange; dx <= CoarseRange; dx++)
                    {
                        var v = Clamp(new((short)dx, (short)dy), x, y, to);
                        var cost = block.Sad(to.Origin + (y + v.Y) * to.Stride + x + v.X, to.Stride) + 4 * (Math.Abs(v.X) + Math.Abs(v.Y));
                        if (cost >= best)
                            continue;
                        best = cost;
                        level.Motion[j * level.Columns + i] = v;
                    }
            }
    }

    private static void Inherit(Level level, Level parent)
    {
        for (var j = 0; j < level.Rows; j++)
            for (var i = 0; i < level.Columns; i++)
            {
                var p = parent.Motion[Math.Min(j / 2, parent.Rows - 1) * parent.Columns + Math.Min(i / 2, parent.Columns - 1)];
                level.Motion[j * level.Columns + i] = new((short)(2 * p.X), (short)(2 * p.Y));
            }
    }

    /// <summary>One pass down with the coarser level's motions as candidates, and one back up.</summary>
    private static void Sweep(PaddedPlane from, PaddedPlane to, Level level, Level? parent)
    {
        for (var j = 0; j < level.Rows; j++)
            for (var i = 0; i < level.Columns; i++)
            {
                var cell = new CellSearch(from, to, level, i, j);
                cell.Try(level.Motion[j * level.Columns + i]);
                cell.Try(default);
                if (parent != null)
                {
                    int pi = i / 2, pj = j / 2, si = (i & 1) * 2 - 1, sj = (j & 1) * 2 - 1;
                    cell.TryParent(parent, pi + si, pj);
                    cell.TryParent(parent, pi, pj + sj);
                    cell.TryParent(parent, pi + si, pj + sj);
                }

                cell.TryNeighbour(-1, 0);
                cell.TryNeighbour(0, -1);
                cell.TryNeighbour(1, -1);
                cell.Descend();
                cell.Keep();
            }

        for (var j = level.Rows - 1; j >= 0; j--)
            for (var i = level.Columns - 1; i >= 0; i--)
            {
                var cell = new CellSearch(from, to, level, i, j);
                cell.Try(level.Motion[j * level.Columns + i]);
                cell.TryNeighbour(1, 0);
                cell.TryNeighbour(0, 1);
                cell.TryNeighbour(-1, 1);
                cell.TryNeighbour(1, 1);
                cell.Descend();
                cell.Keep();
            }
    }

    /// <summary>Fractions of a pixel from the differences one pixel around.</summary>
    private static void Refine(PaddedPlane from, PaddedPlane to, Level level, MotionField field)
    {
        for (var j = 0; j < level.Rows; j++)
            for (var i = 0; i < level.Columns; i++)
            {
                var n = j * level.Columns + i;
                int x = i * Cell - Window / 2 + Cell / 2, y = j * Cell - Window / 2 + Cell / 2;
                var block = new Block(from.Origin + y * from.Stride + x, from.Stride);
                var v = level.Motion[n];
                var p = to.Origin + (y + v.Y) * to.Stride + x + v.X;
                var centre = block.Sad(p, to.Stride);
                field.Cost[n] = centre;
                float dx = 0, dy = 0;
                if (centre > Noise || v != default)
                {
                    dx = Vertex(block.Sad(p - 1, to.Stride), centre, block.Sad(p + 1, to.Stride));
                    dy = Vertex(block.Sad(p - to.Stride, to.Stride), centre, block.Sad(p + to.Stride, to.Stride));
                }

                field.DxValues[n] = v.X + dx;
                field.DyValues[n] = v.Y + dy;
            }
    }

    /// <summary>Where the V-shaped cost through three equally spaced values is least, within half a step.</summary>
    private static float Vertex(int left, int centre, int right)
    {
        // Sums of absolute differences fall linearly towards the match, so lines of equal slope fit better than a parabola.
        float slope = Math.Max(left, right) - centre;
        return slope <= 0 ? 0 : Math.Clamp((left - right) / (2 * slope), -0.5f, 0.5f);
    }

    private static Vector Clamp(Vector v, int x, int y, PaddedPlane to) => new(
        (short)Math.Clamp(v.X, -Reach - x, to.Width + Reach - Window - x),
        (short)Math.Clamp(v.Y, -Reach - y, to.Height + Reach - Window - y));

    private readonly record struct Vector(short X, short Y);

    private sealed class Level(int columns, int rows)
    {
        public int Columns => columns;

        public int Rows => rows;

        public Vector[] Motion { get; } = new Vector[columns * rows];
    }

    /// <summary>The search for one cell: candidates go in, the cheapest stays.</summary>
    private ref struct CellSearch
    {
        private readonly PaddedPlane _to;
        private readonly Level _level;
        private readonly Block _block;
        private readonly int _i, _j, _x, _y;
        private readonly Vector _left, _right, _up, _down;
        private Vector _best;
        private int _cost;

        public CellSearch(PaddedPlane from, PaddedPlane to, Level level, int i, int j)
        {
            (_to, _level, _i, _j) = (to, level, i, j);
            (_x, _y) = (i * Cell - Window / 2 + Cell / 2, j * Cell - Window / 2 + Cell / 2);
            _block = new(from.Origin + _y * from.Stride + _x, from.Stride);
            var own = level.Motion[j * level.Columns + i];
            _left = i > 0 ? level.Motion[j * level.Columns + i - 1] : own;
            _right = i + 1 < level.Columns ? level.Motion[j * level.Columns + i + 1] : own;
            _up = j > 0 ? level.Motion[(j - 1) * level.Columns + i] : own;
            _down = j + 1 < level.Rows ? level.Motion[(j + 1) * level.Columns + i] : own;
            _best = own;
            _cost = int.MaxValue;
        }

        public void Try(Vector v)
        {
            v = Clamp(v, _x, _y, _to);
            if (v == _best && _cost != int.MaxValue)
                return;
            var cost = Smoothness * (Step(v, _left) + Step(v, _right) + Step(v, _up) + Step(v, _down));
            if (v == default)
                cost -= RestBonus;
            if (cost >= _cost)
                return;
            cost += _block.Sad(_to.Origin + (_y + v.Y) * _to.Stride + _x + v.X, _to.Stride);
            if (cost < _cost)
                (_cost, _best) = (cost, v);
        }

        public void TryNeighbour(int di, int dj)
        {
            int i = _i + di, j = _j + dj;
            if ((uint)i < (uint)_level.Columns && (uint)j < (uint)_level.Rows)
                Try(_level.Motion[j * _level.Columns + i]);
        }

        public void TryParent(Level parent, int i, int j)
        {
            if ((uint)i >= (uint)parent.Columns || (uint)j >= (uint)parent.Rows)
                return;
            var v = parent.Motion[j * parent.Columns + i];
            Try(new((short)(2 * v.X), (short)(2 * v.Y)));
        }

        /// <summary>Walks to the nearest minimum, at most three steps.</summary>
        public void Descend()
        {
            for (var step = 0; step < 3; step++)
            {
                var v = _best;
                Try(new((short)(v.X - 1), v.Y));
                Try(new((short)(v.X + 1), v.Y));
                Try(new(v.X, (short)(v.Y - 1)));
                Try(new(v.X, (short)(v.Y + 1)));
                if (_best == v)
                    break;
            }
        }

        public readonly void Keep() => _level.Motion[_j * _level.Columns + _i] = _best;

        /// <summary>Distance of two motions, bounded: across an object's edge a jump costs the same however large.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static int Step(Vector a, Vector b) => Math.Min(Math.Abs(a.X - b.X) + Math.Abs(a.Y - b.Y), LargestStep);
    }
}
