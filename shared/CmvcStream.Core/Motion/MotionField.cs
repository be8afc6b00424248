using CmvcStream.Core.Media;

namespace CmvcStream.Core.Motion;

/// <summary>
/// Motion from one picture to another on a grid of cells: for the cell at column i, row j, whose centre is luma pixel
/// ((i + 0.5) * Cell, (j + 0.5) * Cell), how far its content moves, in luma pixels. Rows of <see cref="Columns"/> values.
/// </summary>
public sealed class MotionField
{
    /// <summary>Width and height of a cell, in luma pixels.</summary>
    public const int Cell = 4;

    internal MotionField(PixelSize size)
    {
        Size = size;
        Columns = (size.Width + Cell - 1) / Cell;
        Rows = (size.Height + Cell - 1) / Cell;
        DxValues = GC.AllocateArray<float>(Columns * Rows, pinned: true);
        DyValues = GC.AllocateArray<float>(Columns * Rows, pinned: true);
        ConfidenceValues = GC.AllocateArray<float>(Columns * Rows, pinned: true);
        Cost = GC.AllocateArray<int>(Columns * Rows, pinned: true);
    }

    /// <summary>Of the pictures, in luma pixels.</summary>
    public PixelSize Size { get; }

    public int Columns { get; }

    public int Rows { get; }

    /// <summary>Motion to the right, in pixels.</summary>
    public ReadOnlySpan<float> Dx => DxValues;

    /// <summary>Motion downwards, in pixels.</summary>
    public ReadOnlySpan<float> Dy => DyValues;

    /// <summary>0 (the motion back contradicts it, or nothing matches) to 1.</summary>
    public ReadOnlySpan<float> Confidence => ConfidenceValues;

    internal float[] DxValues { get; }

    internal float[] DyValues { get; }

    internal float[] ConfidenceValues { get; }

    /// <summary>Sum of absolute differences of the matched 8x8 windows.</summary>
    internal int[] Cost { get; }
}
