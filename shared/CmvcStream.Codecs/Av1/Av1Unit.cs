using CmvcStream.Core.Codec;

namespace CmvcStream.Codecs.Av1;

/// <summary>
/// One coded keyframe as the wire carries it: a sequence header where it is intra, then one frame, nothing else (AV1 bitstream
/// specification, 5.3 to 5.9). Holding to this keeps most damage away from libaom.
/// </summary>
public static class Av1Unit
{
    private const int SequenceHeader = 1;
    private const int TemporalDelimiter = 2;
    private const int Frame = 6;

    /// <summary>Checks the structure and tells whether the keyframe is intra, that is, decodes alone.</summary>
    /// <exception cref="CodecException">The bytes are no such unit.</exception>
    public static bool IsIntra(ReadOnlySpan<byte> data)
    {
        var at = 0;
        var intra = false;
        while (at < data.Length)
        {
            var start = at;
            int header = data[at++], type = (header >> 3) & 15;
            if ((header & 0b1000_0101) != 0 || (header & 2) == 0)
                throw new CodecException($"no AV1 keyframe: header {header:x2} at byte {start} of {data.Length}");
            if (!TryReadSize(data, ref at, out var size) || size > data.Length - at)
                throw new CodecException($"AV1 keyframe cut short: the part at byte {start} reaches beyond its {data.Length} bytes");
            at += size;
            switch (type)
            {
                case TemporalDelimiter when start == 0 && size == 0:
                    break;
                case SequenceHeader when !intra && size > 0:
                    intra = true;
                    break;
                case Frame when at == data.Length && size > 0:
                    return intra;
                default:
                    throw new CodecException($"no AV1 keyframe: a part of type {type} and {size} bytes at byte {start} of {data.Length}");
            }
        }

        throw new CodecException($"no AV1 keyframe: {data.Length} bytes without a frame");
    }

    // leb128, at most four bytes: sizes here are far below.
    private static bool TryReadSize(ReadOnlySpan<byte> data, ref int at, out int size)
    {
        size = 0;
        for (var i = 0; i < 4 && at < data.Length; i++)
        {
            var b = data[at++];
            size |= (b & 127) << (7 * i);
            if (b < 128)
                return true;
        }

        return false;
    }
}
