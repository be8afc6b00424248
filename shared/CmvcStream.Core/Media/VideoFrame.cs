using System.Collections.Concurrent;

namespace CmvcStream.Core.Media;

/// <summary>One 8-bit plane inside a frame's buffer: rows of <see cref="Width"/> bytes, <see cref="Stride"/> bytes apart.</summary>
public readonly record struct Plane(byte[] Buffer, int Offset, int Stride, int Width, int Height)
{
    public Span<byte> Row(int y) => Buffer.AsSpan(Offset + y * Stride, Width);

    /// <summary>The first byte, for kernels; the buffer is pinned for its life.</summary>
    public ref byte Origin => ref Buffer[Offset];
}

/// <summary>
/// A picture: planar 4:2:0, 8 bit, BT.601 limited range (what ffmpeg calls yuv420p), with the source time that it depicts.
/// Reference counted: who keeps it beyond a call takes <see cref="AddReference"/>, and every owner calls <see cref="Dispose"/> once.
/// The pixels are not changed after the frame has been handed on.
/// </summary>
public sealed class VideoFrame : IDisposable
{
    private readonly FramePool? _pool;
    private int _references = 1;

    internal VideoFrame(PixelSize size, FramePool? pool)
    {
        _pool = pool;
        Size = size;
        var chroma = size.Chroma;
        // Rows start on 64 bytes; 64 more at the end let kernels read a whole vector at the last pixel.
        int yStride = (size.Width + 63) & ~63, cStride = (chroma.Width + 63) & ~63;
        int yBytes = yStride * size.Height, cBytes = cStride * chroma.Height;
        var buffer = GC.AllocateArray<byte>(yBytes + 2 * cBytes + 64, pinned: true);
        Y = new(buffer, 0, yStride, size.Width, size.Height);
        U = new(buffer, yBytes, cStride, chroma.Width, chroma.Height);
        V = new(buffer, yBytes + cBytes, cStride, chroma.Width, chroma.Height);
    }

    public PixelSize Size { get; }

    /// <summary>Source time that the picture depicts.</summary>
    public MediaTime Pts { get; set; }

    public Plane Y { get; }

    public Plane U { get; }

    public Plane V { get; }

    /// <summary>A frame outside any pool: for tests and for pictures that live long.</summary>
    public static VideoFrame Allocate(PixelSize size) => new(size, null);

    public VideoFrame AddReference()
    {
        if (Interlocked.Increment(ref _references) <= 1)
            throw new ObjectDisposedException(nameof(VideoFrame));
        return this;
    }

    public void Dispose()
    {
        var left = Interlocked.Decrement(ref _references);
        if (left == 0)
            _pool?.Return(this);
        else if (left < 0)
            throw new ObjectDisposedException(nameof(VideoFrame), "disposed more often than referenced");
    }

    public void CopyTo(VideoFrame other)
    {
        ArgumentNullException.ThrowIfNull(other);
        if (other.Size != Size)
            throw new ArgumentException($"copy of {Size} into {other.Size}", nameof(other));
        Y.Buffer.AsSpan().CopyTo(other.Y.Buffer);
        other.Pts = Pts;
    }

    /// <summary>Black in limited range: luma 16, chroma 128.</summary>
    public void Fill(byte y = 16, byte u = 128, byte v = 128)
    {
        Y.Buffer.AsSpan(Y.Offset, U.Offset).Fill(y);
        Y.Buffer.AsSpan(U.Offset, V.Offset - U.Offset).Fill(u);
        Y.Buffer.AsSpan(V.Offset).Fill(v);
    }

    internal void Revive()
    {
        _references = 1;
        Pts = default;
    }
}

/// <summary>Frames of one size, used again and again, so that the hot paths allocate nothing. Safe from several threads.</summary>
public sealed class FramePool(PixelSize size, int keep = 32)
{
    private readonly ConcurrentBag<VideoFrame> _free = [];

    public PixelSize Size => size;

    /// <summary>Frames made so far: a leak shows as a figure that grows.</summary>
    public int Created => _created;

    private int _created;

    /// <summary>A frame with one reference and undefined pixels.</summary>
    public VideoFrame Rent()
    {
        if (_free.TryTake(out var frame))
        {
            frame.Revive();
            return frame;
        }

        Interlocked.Increment(ref _created);
        return new(size, this);
    }

    internal void Return(VideoFrame frame)
    {
        if (_free.Count < keep)
            _free.Add(frame);
    }
}
