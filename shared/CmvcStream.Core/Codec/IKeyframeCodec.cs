using CmvcStream.Core.Media;

namespace CmvcStream.Core.Codec;

/// <summary>Size at which a keyframe is coded, as a fraction of the source's size.</summary>
public enum CodedScale
{
    Full,
    ThreeQuarters,
    TwoThirds,
    Half,
    Third,
    Quarter,
}

public static class CodedScales
{
    /// <summary>The coded size of a source: each side scaled and rounded to the nearest pixel, at least 16.</summary>
    public static PixelSize Of(this CodedScale scale, PixelSize source)
    {
        var (n, d) = scale switch
        {
            CodedScale.Full => (1, 1),
            CodedScale.ThreeQuarters => (3, 4),
            CodedScale.TwoThirds => (2, 3),
            CodedScale.Half => (1, 2),
            CodedScale.Third => (1, 3),
            CodedScale.Quarter => (1, 4),
            _ => throw new ArgumentOutOfRangeException(nameof(scale), scale, "no such coded scale"),
        };
        return n == d ? source : new(Side(source.Width), Side(source.Height));

        int Side(int full) => Math.Max(Math.Min(16, full), (full * n + d / 2) / d);
    }
}

/// <summary>How to code one keyframe.</summary>
/// <param name="Quality">libaom's cq-level: 0 (best) to 63 (worst).</param>
/// <param name="Scale">Coded size; a change needs no intra frame unless it goes below half of the keyframe that it is predicted from: start small.</param>
/// <param name="Intra">Predict from nothing.</param>
/// <param name="Mend">
/// Predict only from what the receiver has acknowledged (<see cref="IKeyframeEncoder.Acknowledge"/>): keyframes after that may be lost. Where the
/// size has changed meanwhile, such a keyframe may get another size near it. Intra where none of those is left that it could be predicted from.
/// </param>
public readonly record struct KeyframeSettings(int Quality, CodedScale Scale, bool Intra, bool Mend = false);

/// <summary>Encodes the low-delay chain of keyframes.</summary>
public interface IKeyframeEncoder : IDisposable
{
    PixelSize Size { get; }

    /// <summary>Encodes one picture of <see cref="Size"/>; the bytes are valid until the next call.</summary>
    /// <exception cref="CodecException">The library refused; the message says why.</exception>
    ReadOnlySpan<byte> Encode(VideoFrame frame, scoped in KeyframeSettings settings);

    /// <summary>The bytes that <see cref="Encode"/> would give now, near enough; later keyframes are not predicted from this trial.</summary>
    /// <exception cref="CodecException">The library refused; the message says why.</exception>
    int Measure(VideoFrame frame, scoped in KeyframeSettings settings);

    /// <summary>The receiver has decoded a keyframe, and so all that it was predicted from; older than one before: ignored.</summary>
    /// <param name="number">Counts the keyframes that <see cref="Encode"/> gave, from 1.</param>
    void Acknowledge(long number);
}

/// <summary>Decodes the chain.</summary>
public interface IKeyframeDecoder : IDisposable
{
    /// <summary>Bit i: the last keyframe is kept in slot i (of eight) for later ones; it replaces what was there.</summary>
    int Stored { get; }

    /// <summary>
    /// Decodes one keyframe into a frame of its coded size (rented from the decoder's pools, the caller disposes it).
    /// After a <see cref="CodecException"/> the next picture must be an intra one.
    /// </summary>
    /// <exception cref="CodecException">The bytes are no decodable picture.</exception>
    VideoFrame Decode(ReadOnlySpan<byte> data);
}

/// <summary>A codec library refused, is missing or does not fit; the message says what, and how to mend it.</summary>
public sealed class CodecException : Exception
{
    public CodecException(string message) : base(message) { }

    public CodecException(string message, Exception inner) : base(message, inner) { }

    public CodecException() { }
}
