using CmvcStream.Core.Codec;
using CmvcStream.Core.Media;
using CmvcStream.Core.Motion;

namespace CmvcStream.Codecs.Av1;

/// <summary>
/// Makes the picture that is shown of a coded keyframe: decoded, brought to presentation size, sharpened. The receiver shows it and the
/// sender closes its loop with it, so there is one of it. One thread at a time.
/// </summary>
public sealed class KeyframeReconstructor : IDisposable
{
    /// <summary>Coded sizes for which tables are kept; our sender uses six, another may do as it likes.</summary>
    private const int MaxSizes = 16;

    private readonly PixelSize _size;
    private readonly AomKeyframeDecoder _decoder;
    private readonly FramePool _pool;
    private readonly Dictionary<PixelSize, Resampler> _resamplers = [];

    /// <param name="size">Presentation size.</param>
    /// <param name="keep">Pictures that are used again.</param>
    /// <exception cref="CodecException">libaom is missing or does not fit.</exception>
    public KeyframeReconstructor(PixelSize size, int keep)
    {
        _size = size;
        _decoder = new(size);
        _pool = new(size, keep);
    }

    /// <summary>Slots that the last keyframe is kept in: <see cref="AomKeyframeDecoder.Stored"/>.</summary>
    public int Stored => _decoder.Stored;

    /// <summary>How coarsely the last keyframe was quantized: <see cref="AomKeyframeDecoder.Quantizer"/>.</summary>
    public int Quantizer => _decoder.Quantizer;

    /// <summary>Reconstructs the next keyframe of the chain; the caller disposes the picture.</summary>
    /// <param name="data">As coded.</param>
    /// <param name="coded">What it decoded to.</param>
    /// <param name="sharpened">False: as a network that restores it takes it.</param>
    /// <exception cref="CodecException">The bytes are no decodable picture; the next one must be intra.</exception>
    public VideoFrame Reconstruct(ReadOnlySpan<byte> data, out DecodedPicture coded, bool sharpened = true)
    {
        using var decoded = _decoder.Decode(data);
        coded = DecodedPicture.Of(decoded);
        if (!_resamplers.TryGetValue(coded.Size, out var resampler))
        {
            if (_resamplers.Count > MaxSizes)
                _resamplers.Clear();
            _resamplers[coded.Size] = resampler = new(coded.Size, _size, Resampler.KeyframeSharpening);
        }

        var picture = _pool.Rent();
        resampler.Resample(decoded, picture, sharpened);
        return picture;
    }

    public void Dispose() => _decoder.Dispose();
}
