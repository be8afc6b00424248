using CmvcStream.Core.Media;

namespace CmvcStream.Core.Codec;

/// <summary>How to code one keyframe.</summary>
/// <param name="Quality">libaom's cq-level: 0 (best) to 63 (worst).</param>
/// <param name="Intra">Predict from nothing.</param>
public readonly record struct KeyframeSettings(int Quality, bool Intra);

/// <summary>Encodes the low-delay chain of keyframes.</summary>
public interface IKeyframeEncoder : IDisposable
{
    /// <summary>The largest picture it takes.</summary>
    PixelSize MaxSize { get; }

    /// <summary>
    /// Encodes one picture of any size up to <see cref="MaxSize"/>, predicted from the one before even across a change of size;
    /// the bytes are valid until the next call.
    /// </summary>
    /// <exception cref="CodecException">The library refused; the message says why.</exception>
    ReadOnlySpan<byte> Encode(VideoFrame frame, in KeyframeSettings settings);
}

/// <summary>Decodes the chain.</summary>
public interface IKeyframeDecoder : IDisposable
{
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
