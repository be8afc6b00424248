using CmvcStream.Core.Codec;
using CmvcStream.Core.Media;

namespace CmvcStream.Codecs.Av1;

/// <summary>
/// Decodes the chain with libaom. Bit-exact on every machine. Sizes beyond what was announced are refused before libaom sees
/// them; the render size is ignored, the frame has the coded size (after super-resolution, which our encoder does not use).
/// One thread at a time.
/// </summary>
public sealed unsafe class AomKeyframeDecoder : IKeyframeDecoder
{
    private const int MaxSide = 4096;
    private const int MaxPools = 8;

    private readonly PixelSize _maxSize;
    private readonly List<FramePool> _pools = [];
    private nint _decoder;
    private bool _needsIntra = true;
    private bool _disposed;

    /// <param name="maxSize">The source's size as announced; pictures of more than four times its area are refused.</param>
    /// <exception cref="CodecException">libaom is missing or does not fit.</exception>
    public AomKeyframeDecoder(PixelSize maxSize)
    {
        AomNative.EnsureUsable();
        _maxSize = maxSize;
        Reopen();
    }

    /// <inheritdoc/>
    public int Stored { get; private set; }

    /// <summary>The last keyframe's base_q_idx (AV1 specification, 5.9.12): 0 (finest) to 255 (coarsest).</summary>
    public int Quantizer { get; private set; }

    /// <inheritdoc/>
    public VideoFrame Decode(ReadOnlySpan<byte> data)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        var wasDamaged = _needsIntra;
        _needsIntra = true;
        var intra = Av1Unit.IsIntra(data);
        if (wasDamaged && !intra)
            throw new CodecException("AV1 decode: an intra keyframe is needed first");
        fixed (byte* bytes = data)
        {
            if (intra)
                CheckAnnouncedSize(bytes, data.Length);
            // After damage libaom's references are in doubt; a fresh one costs little.
            if (wasDamaged)
                Reopen();
            var code = AomNative.Decode(_decoder, bytes, data.Length, out var width, out var height, out var stored, out var quantizer);
            if (code != AomNative.Ok)
                throw AomNative.Failure(code, "decode", AomNative.DecoderError(_decoder));
            var size = new PixelSize(width, height);
            CheckSize(size);
            var frame = PoolFor(size).Rent();
            var planes = stackalloc byte*[3];
            var strides = stackalloc int[3];
            AomPlanes.Fill(frame, planes, strides);
            AomNative.Copy(_decoder, planes, strides);
            _needsIntra = false;
            Stored = stored;
            Quantizer = quantizer;
            return frame;
        }
    }

    public void Dispose()
    {
        if (_disposed)
            return;
        _disposed = true;
        AomNative.DecoderClose(_decoder);
    }

    private void CheckAnnouncedSize(byte* bytes, int length)
    {
        if (AomNative.SequenceSize(bytes, length, out var width, out var height) != AomNative.Ok)
            throw new CodecException("AV1 decode: unreadable sequence header");
        CheckSize(new(width, height));
    }

    private void CheckSize(PixelSize size)
    {
        if (size.Width is < 1 or > MaxSide || size.Height is < 1 or > MaxSide || (long)size.Area > 4L * _maxSize.Area)
            throw new CodecException($"AV1 decode: the picture is {size}, announced was {_maxSize}");
    }

    private void Reopen()
    {
        if (_decoder != 0)
            AomNative.DecoderClose(_decoder);
        var code = AomNative.DecoderOpen(out _decoder, 1);
        if (code == AomNative.Ok)
            return;
        var failure = AomNative.Failure(code, "decoder", AomNative.DecoderError(_decoder));
        AomNative.DecoderClose(_decoder);
        _decoder = 0;
        _disposed = true;
        throw failure;
    }

    private FramePool PoolFor(PixelSize size)
    {
        foreach (var pool in _pools)
        {
            if (pool.Size == size)
                return pool;
        }

        // A sender uses six sizes at most; more come only from a hostile one.
        if (_pools.Count == MaxPools)
            _pools.RemoveAt(0);
        var made = new FramePool(size);
        _pools.Add(made);
        return made;
    }
}

internal static unsafe class AomPlanes
{
    /// <summary>Addresses of a frame's planes: its buffer is pinned for life.</summary>
    internal static void Fill(VideoFrame frame, byte** planes, int* strides)
    {
        Set(frame.Y, 0);
        Set(frame.U, 1);
        Set(frame.V, 2);

        void Set(Plane plane, int i)
        {
            planes[i] = (byte*)System.Runtime.CompilerServices.Unsafe.AsPointer(ref plane.Origin);
            strides[i] = plane.Stride;
        }
    }
}
