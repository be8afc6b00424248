using System.Numerics;
using System.Runtime.InteropServices;

namespace CmvcStream.Core.Codec;

/// <summary>
/// Shrinks a plane of any size to a small one of fixed size by averaging the pixels of each cell; integer arithmetic, so every machine
/// gets the same bytes. A plane smaller than the target repeats pixels. Not for use from several threads at once.
/// </summary>
public sealed class PlaneReducer
{
    /// <summary>Columns are summed in 16 bits, so that so many rows fit; taller cells skip rows evenly.</summary>
    private const int MaximumRows = 257;

    private ushort[] _columns = [];

    /// <summary>Averages <paramref name="plane"/> into <paramref name="target"/>: <paramref name="width"/> x <paramref name="height"/> bytes, row by row.</summary>
    /// <exception cref="ArgumentException">The target does not hold the size.</exception>
    public void Reduce(in Media.Plane plane, Span<byte> target, int width, int height)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(width);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(height);
        if (target.Length != width * height)
            throw new ArgumentException($"a target of {target.Length} bytes does not hold {width}x{height}", nameof(target));
        if (_columns.Length < plane.Width)
            _columns = new ushort[plane.Width];
        var columns = _columns.AsSpan(0, plane.Width);
        for (var cy = 0; cy < height; cy++)
        {
            var (top, bottom) = Cell(cy, height, plane.Height);
            var step = (bottom - top + MaximumRows - 1) / MaximumRows;
            columns.Clear();
            var rows = 0;
            for (var y = top; y < bottom; y += step, rows++)
                AddRow(plane.Row(y), columns);
            var row = target.Slice(cy * width, width);
            for (var cx = 0; cx < width; cx++)
            {
                var (left, right) = Cell(cx, width, plane.Width);
                var sum = 0;
                foreach (var column in columns[left..right])
                    sum += column;
                var area = (right - left) * rows;
                row[cx] = (byte)((sum + area / 2) / area);
            }
        }
    }

    /// <summary>First and last (exclusive) pixel of a cell; never empty.</summary>
    internal static (int First, int End) Cell(int index, int cells, int pixels)
    {
        var first = (int)((long)index * pixels / cells);
        return (first, Math.Max(first + 1, (int)((long)(index + 1) * pixels / cells)));
    }

    private static void AddRow(ReadOnlySpan<byte> row, Span<ushort> columns)
    {
        var n = Vector<byte>.Count;
        var x = 0;
        for (; x <= row.Length - n; x += n)
        {
            Vector.Widen(new Vector<byte>(row[x..]), out var low, out var high);
            var sums = MemoryMarshal.Cast<ushort, Vector<ushort>>(columns.Slice(x, n));
            sums[0] += low;
            sums[1] += high;
        }

        for (; x < row.Length; x++)
            columns[x] += row[x];
    }
}
