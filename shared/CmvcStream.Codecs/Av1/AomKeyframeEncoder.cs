using CmvcStream.Codecs.Scaling;
using CmvcStream.Core.Codec;
using CmvcStream.Core.Media;

namespace CmvcStream.Codecs.Av1;

/// <summary>
/// Encodes the chain with libaom: good quality usage, no lag, one quantizer a frame, an intra frame only where asked for or
/// unavoidable. Deterministic. One thread at a time.
/// </summary>
/// <remarks>
/// An intra keyframe starts a new libaom encoder: with one that goes on, good quality follows each forced intra frame with a
/// second one. The size that a keyframe will have is not known before it is coded, but a frame that is stored nowhere leaves no trace in
/// libaom: <see cref="Measure"/> tries so, and what is coded with the same settings next has the same size, give or take a byte or two.
/// <para>
/// A lost keyframe is mended by predicting the next one from one that the receiver has acknowledged: <see cref="ReferenceState"/> says
/// which keyframes are kept for that.
/// </para>
/// <para>
/// Why these options (libaom 3.6, 5 to 8 training clips at 480x270 and 3 keyframes a second, quality 52 to 62, bytes at equal PSNR /
/// at equal SSIM against realtime usage at speed 5, CPU time a keyframe on a busy core): good quality at speed 5 with our three slots
/// and tune=ssim -9.6 % / -15.0 %, 41 ms against 31; speed 6 -5.4 % / -10.4 %, 35 ms. Within good quality: libaom's own seven
/// references instead of our slots -0.4 % / -0.3 %, but a quarter more time; the newest keyframe as only reference +5 %;
/// no CDEF +7.7 % / +9.8 %; sharpness +4 %; no effect or under 1 % either way: loop restoration and OBMC (off at this speed),
/// quantizer matrices, adaptive quantization, palette, global and warped motion, the reduced transform set. Seven slots, of which the same
/// three are predicted from, without order hints: -0.9 % at equal PSNR (8 training clips, quality 50 to 62; +0.2 % with order hints).
/// </para>
/// </remarks>
public sealed unsafe class AomKeyframeEncoder : IKeyframeEncoder
{
    private readonly AomEncoderOptions _options;
    private readonly ReferenceState _references;
    private readonly FrameScaler?[] _scalers = new FrameScaler?[Enum.GetValues<CodedScale>().Length];
    private readonly VideoFrame?[] _scaled = new VideoFrame?[Enum.GetValues<CodedScale>().Length];
    private nint _encoder;
    private bool _disposed;

    /// <param name="size">Size of the pictures, each side 16 to 4096.</param>
    /// <param name="options">Null: the defaults.</param>
    /// <exception cref="CodecException">libaom is missing, does not fit, or refuses the options.</exception>
    public AomKeyframeEncoder(PixelSize size, AomEncoderOptions? options = null)
    {
        if (size.Width is < 16 or > 4096 || size.Height is < 16 or > 4096)
            throw new ArgumentOutOfRangeException(nameof(size), $"picture size {size}: each side is 16 to 4096 pixels");
        _options = options ?? new();
        if (_options.Speed is < 2 or > 6)
            throw new ArgumentOutOfRangeException(nameof(options), $"encoder speed {_options.Speed}: 2 to 6");
        if (_options.Threads is < 1 or > 16)
            throw new ArgumentOutOfRangeException(nameof(options), $"encoder threads {_options.Threads}: 1 to 16");
        AomNative.EnsureUsable();
        Size = size;
        _references = new(size);
        Open(prime: false);
    }

    /// <inheritdoc/>
    public PixelSize Size { get; }

    /// <summary>What became of the last keyframe.</summary>
    public KeyframeOutcome Last { get; private set; }

    /// <inheritdoc/>
    public ReadOnlySpan<byte> Encode(VideoFrame frame, scoped in KeyframeSettings settings) => Encode(frame, settings, keep: true);

    /// <inheritdoc/>
    public int Measure(VideoFrame frame, scoped in KeyframeSettings settings) => Encode(frame, settings, keep: false).Length;

    /// <inheritdoc/>
    public void Acknowledge(long number) => _references.Acknowledge(number);

    public void Dispose()
    {
        if (_disposed)
            return;
        _disposed = true;
        AomNative.EncoderClose(_encoder);
    }

    private ReadOnlySpan<byte> Encode(VideoFrame frame, scoped in KeyframeSettings settings, bool keep)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        ArgumentNullException.ThrowIfNull(frame);
        if (frame.Size != Size)
            throw new ArgumentException($"the picture is {frame.Size}, the encoder's are {Size}", nameof(frame));
        if (settings.Quality is < 0 or > 63)
            throw new ArgumentOutOfRangeException(nameof(settings), $"keyframe quality {settings.Quality}: 0 to 63");

        var plan = settings.Intra ? null : _references.Plan(settings.Mend, settings.Scale);
        var scale = plan?.Scale ?? settings.Scale;
        if (plan is null)
            Open(prime: scale.Of(Size) != Size);
        try
        {
            // What is stored nowhere leaves no trace.
            var data = EncodeScaled(Scaled(frame, scale), settings.Quality, keep || plan is null ? plan : plan.Value with { Store = 0 });
            if (keep)
                _references.Stored(Last.Intra ? null : plan, scale);
            else if (Last.Intra)
                _references.Clear();    // It fills every slot whatever is asked: the next keyframe opens anew.
            return data;
        }
        catch (CodecException)
        {
            _references.Clear();
            throw;
        }
    }

    private ReadOnlySpan<byte> EncodeScaled(VideoFrame picture, int quality, ReferencePlan? plan)
    {
        // An intra frame fills every slot whatever is asked; slots must be named all the same, or libaom renumbers them.
        var (_, from, predict, store, inherit, _) = plan ?? new(default, 0, 1, 1, Inherit: true);
        var planes = stackalloc byte*[3];
        var strides = stackalloc int[3];
        AomPlanes.Fill(picture, planes, strides);
        var code = AomNative.Encode(
            _encoder, planes, strides, picture.Size.Width, picture.Size.Height, quality, _references.Listed, predict, store, inherit ? 1 : 0,
            out var packet, out var size, out var isIntra, out var quantizerIndex);
        if (code != AomNative.Ok)
            throw AomNative.Failure(code, "encode", AomNative.EncoderError(_encoder));
        if (plan is null && isIntra == 0)
            throw new CodecException("AV1 encode: libaom gave a predicted frame where an intra one was due");
        Last = new(isIntra != 0, quantizerIndex, picture.Size, isIntra != 0 ? 0 : from);
        return new(packet, size);
    }

    private void Open(bool prime)
    {
        _references.Clear();
        if (_encoder != 0)
            AomNative.EncoderClose(_encoder);
        var code = AomNative.EncoderOpen(out _encoder, Size.Width, Size.Height, _options.Speed, _options.Threads);
        for (var i = 0; i < _options.Tools.Count && code == AomNative.Ok; i++)
            code = AomNative.EncoderOption(_encoder, _options.Tools[i].Key, _options.Tools[i].Value);
        if (code == AomNative.Ok && prime)
            code = AomNative.EncoderPrime(_encoder);
        if (code == AomNative.Ok)
            return;
        var failure = AomNative.Failure(code, "encoder", AomNative.EncoderError(_encoder));
        AomNative.EncoderClose(_encoder);
        _encoder = 0;
        _disposed = true;
        throw failure;
    }

    private VideoFrame Scaled(VideoFrame frame, CodedScale scale)
    {
        if (scale.Of(Size) == Size)
            return frame;
        var scaler = _scalers[(int)scale] ??= new(Size, scale.Of(Size));
        var scaled = _scaled[(int)scale] ??= VideoFrame.Allocate(scale.Of(Size));
        scaler.Scale(frame, scaled);
        return scaled;
    }
}
