using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace CmvcStream.Core.Motion;

/// <summary>Bilinear upsampling of a field from cells to the pixels of one row after another.</summary>
internal sealed unsafe class FieldExpander
{
    private readonly int _cell, _stride;
    private readonly IntermediateField _field;
    private readonly float[] _cells, _pixels;

    /// <param name="width">Of the plane, in its pixels.</param>
    /// <param name="cell">Pixels of the plane a cell: 4 (luma) or 2 (chroma).</param>
    /// <param name="field">What is upsampled.</param>
    public FieldExpander(int width, int cell, IntermediateField field)
    {
        (_cell, _field) = (cell, field);
        _stride = Math.Max((field.Columns + 1) * cell, width) + 16;
        // Two more cells: the last one is repeated so that pixels at the edge need no case of their own.
        _cells = GC.AllocateArray<float>(field.Columns + 8, pinned: true);
        _pixels = GC.AllocateArray<float>(5 * _stride, pinned: true);
    }

    /// <summary>Row y of the plane; valid until the next call.</summary>
    /// <param name="y">Row.</param>
    /// <param name="scale">Of the plane's pixels to luma's: 1 or 0.5.</param>
    public WarpRow Row(int y, float scale)
    {
        var p = (float*)Unsafe.AsPointer(ref _pixels[0]);
        var row = new WarpRow(p, p + _stride, p + 2 * _stride, p + 3 * _stride, p + 4 * _stride);
        Expand(_field.Ax, y, scale, row.Ax);
        Expand(_field.Ay, y, scale, row.Ay);
        Expand(_field.Bx, y, scale, row.Bx);
        Expand(_field.By, y, scale, row.By);
        Expand(_field.Share, y, 1, row.Share);
        return row;
    }

    private void Expand(float[] grid, int y, float scale, float* o)
    {
        var g = (y + 0.5f) / _cell - 0.5f;
        var j = Math.Clamp((int)MathF.Floor(g), 0, _field.Rows - 1);
        var f = Math.Clamp(g - j, 0, 1) * scale;
        var columns = _field.Columns;
        fixed (float* upper = &grid[j * columns], lower = &grid[Math.Min(j + 1, _field.Rows - 1) * columns], cells = _cells)
        {
            MixRows(upper, lower, scale - f, f, cells, columns);
            cells[columns] = cells[columns - 1];
            if (_cell == 4)
                Spread4(cells, o, columns);
            else
                Spread2(cells, o, columns);
        }
    }

    internal static void MixRows(float* a, float* b, float wa, float wb, float* o, int n)
    {
        var i = 0;
        if (Vector128.IsHardwareAccelerated)
        {
            for (; i <= n - 8; i += 8)
                (Vector256.Load(a + i) * wa + Vector256.Load(b + i) * wb).Store(o + i);
        }

        for (; i < n; i++)
            o[i] = a[i] * wa + b[i] * wb;
    }

    /// <summary>Four pixels a cell, the cell's centre between its second and third.</summary>
    internal static void Spread4(float* cells, float* o, int n)
    {
        o[0] = o[1] = cells[0];
        var at = Vector128.Create(0.125f, 0.375f, 0.625f, 0.875f);
        for (var i = 0; i < n; i++)
            (Vector128.Create(cells[i]) + Vector128.Create(cells[i + 1] - cells[i]) * at).Store(o + 4 * i + 2);
    }

    /// <summary>Two pixels a cell.</summary>
    internal static void Spread2(float* cells, float* o, int n)
    {
        o[0] = cells[0];
        var at = Vector128.Create(0.25f, 0.75f, 0.25f, 0.75f);
        var i = 0;
        for (; i + 2 <= n; i += 2)
        {
            var a = Vector128.Create(cells[i], cells[i], cells[i + 1], cells[i + 1]);
            var b = Vector128.Create(cells[i + 1], cells[i + 1], cells[i + 2], cells[i + 2]);
            (a + (b - a) * at).Store(o + 2 * i + 1);
        }

        for (; i < n; i++)
        {
            var step = 0.25f * (cells[i + 1] - cells[i]);
            o[2 * i + 1] = cells[i] + step;
            o[2 * i + 2] = cells[i] + 3 * step;
        }
    }
}
