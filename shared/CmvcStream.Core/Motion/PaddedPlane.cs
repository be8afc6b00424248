using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using CmvcStream.Core.Media;

namespace CmvcStream.Core.Motion;

/// <summary>
/// A copy of one 8-bit plane with <see cref="Pad"/> repeated pixels around it, so that block windows and filter taps may reach over the
/// edge without a test for each pixel.
/// </summary>
internal sealed unsafe class PaddedPlane
{
    public const int Pad = 32;

    private readonly byte[] _buffer;

    public PaddedPlane(int width, int height)
    {
        Width = width;
        Height = height;
        // Rounded up to 64, and 64 more at the end: a whole vector may be read at the last pixel.
        Stride = (width + 2 * Pad + 63) & ~63;
        _buffer = GC.AllocateArray<byte>(Stride * (height + 2 * Pad) + 64, pinned: true);
    }

    public int Width { get; }

    public int Height { get; }

    public int Stride { get; }

    /// <summary>The pixel at (0, 0); valid for as long as this object lives (the buffer is pinned).</summary>
    public byte* Origin => (byte*)Unsafe.AsPointer(ref _buffer[Pad * Stride + Pad]);

    public void CopyFrom(in Plane source)
    {
        for (var y = 0; y < Height; y++)
            source.Row(y).CopyTo(new Span<byte>(Origin + y * Stride, Width));
        RepeatEdges();
    }

    /// <summary>Halves a plane: the mean of two by two pixels. This plane's sides are the source's halved, rounded up.</summary>
    public void HalveFrom(PaddedPlane source)
    {
        for (var y = 0; y < Height; y++)
            HalveRow(source.Origin + 2 * y * source.Stride, source.Stride, Origin + y * Stride, Width);
        RepeatEdges();
    }

    /// <summary>One row of means of two by two pixels, rounded to nearest. Reads up to one pixel over an odd edge (which is padding).</summary>
    internal static void HalveRow(byte* source, int stride, byte* destination, int width)
    {
        var x = 0;
        if (Vector128.IsHardwareAccelerated)
        {
            var low = Vector128.Create((ushort)0xff);
            for (; x <= width - 16; x += 16)
                Vector128.Narrow(Means(source + 2 * x, stride, low), Means(source + 2 * x + 16, stride, low)).Store(destination + x);
        }

        HalveRowScalar(source + 2 * x, stride, destination + x, width - x);
    }

    internal static void HalveRowScalar(byte* source, int stride, byte* destination, int width)
    {
        for (var x = 0; x < width; x++)
        {
            var p = source + 2 * x;
            destination[x] = (byte)((p[0] + p[1] + p[stride] + p[stride + 1] + 2) >> 2);
        }
    }

    private static Vector128<ushort> Means(byte* p, int stride, Vector128<ushort> low)
    {
        Vector128<ushort> a = Vector128.Load(p).AsUInt16(), b = Vector128.Load(p + stride).AsUInt16();
        return ((a & low) + (a >> 8) + (b & low) + (b >> 8) + Vector128.Create((ushort)2)) >> 2;
    }

    private void RepeatEdges()
    {
        for (var y = 0; y < Height; y++)
        {
            var row = Origin + y * Stride;
            new Span<byte>(row - Pad, Pad).Fill(row[0]);
            new Span<byte>(row + Width, Stride - Pad - Width).Fill(row[Width - 1]);
        }

        var first = new Span<byte>(Origin - Pad, Stride);
        var last = new Span<byte>(Origin - Pad + (Height - 1) * Stride, Stride);
        for (var y = 1; y <= Pad; y++)
        {
            first.CopyTo(new Span<byte>(Origin - Pad - y * Stride, Stride));
            last.CopyTo(new Span<byte>(Origin - Pad + (Height - 1 + y) * Stride, Stride));
        }
    }
}

/// <summary>A keyframe as motion estimation and warping read it: luma at halving sizes, chroma, all padded.</summary>
internal sealed class PaddedPicture
{
    /// <summary>The coarsest luma is about this wide or high, so that a search of eight pixels there spans a seventh of the picture.</summary>
    private const int CoarsestSide = 64;

    public PaddedPicture(PixelSize size)
    {
        var levels = new List<PaddedPlane>();
        int w = size.Width, h = size.Height;
        for (; ; w = (w + 1) / 2, h = (h + 1) / 2)
        {
            levels.Add(new(w, h));
            if (Math.Max(w, h) <= CoarsestSide)
                break;
        }

        Luma = [.. levels];
        U = new(size.Chroma.Width, size.Chroma.Height);
        V = new(size.Chroma.Width, size.Chroma.Height);
    }

    /// <summary>Full size first.</summary>
    public PaddedPlane[] Luma { get; }

    public PaddedPlane U { get; }

    public PaddedPlane V { get; }

    public void CopyLumaFrom(VideoFrame frame)
    {
        Luma[0].CopyFrom(frame.Y);
        for (var l = 1; l < Luma.Length; l++)
            Luma[l].HalveFrom(Luma[l - 1]);
    }

    public void CopyFrom(VideoFrame frame)
    {
        CopyLumaFrom(frame);
        U.CopyFrom(frame.U);
        V.CopyFrom(frame.V);
    }
}
