using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace CmvcStream.Codecs.Jpeg;

/// <summary>
/// From BT.601 limited range (luma 16 to 235, chroma 16 to 240: our frames) to full range (JPEG, ITU-T T.871), in 1/256 steps,
/// within one level of the exact value. What lies outside the limited range is clamped.
/// </summary>
public static class FullRange
{
    // 255/219 and 255/224 in 1/256.
    private const ushort LumaGain = 298;
    private const ushort ChromaGain = 291;

    // Chroma keeps 128 at 128: (16 - 128) * 255 / 224 + 128 is half a level.
    private const ushort ChromaOffset = 256;

    /// <summary>Converts one row of luma.</summary>
    public static void Luma(ReadOnlySpan<byte> limited, Span<byte> full) => Convert(limited, full, 219, LumaGain, 128);

    /// <summary>Converts one row of either chroma plane.</summary>
    public static void Chroma(ReadOnlySpan<byte> limited, Span<byte> full) => Convert(limited, full, 224, ChromaGain, ChromaOffset);

    private static void Convert(ReadOnlySpan<byte> limited, Span<byte> full, ushort range, ushort gain, ushort offset)
    {
        if (full.Length < limited.Length)
            throw new ArgumentException($"{limited.Length} samples into {full.Length}", nameof(full));
        ref var from = ref MemoryMarshal.GetReference(limited);
        ref var to = ref MemoryMarshal.GetReference(full);
        var x = 0;
        for (; x <= limited.Length - Vector256<byte>.Count; x += Vector256<byte>.Count)
        {
            var samples = Vector256.LoadUnsafe(ref from, (nuint)x);
            samples = Vector256.Min(Vector256.Max(samples, Vector256.Create((byte)16)) - Vector256.Create((byte)16), Vector256.Create((byte)range));
            var low = ((Vector256.WidenLower(samples) * gain) + Vector256.Create(offset)) >> 8;
            var high = ((Vector256.WidenUpper(samples) * gain) + Vector256.Create(offset)) >> 8;
            Vector256.Narrow(low, high).StoreUnsafe(ref to, (nuint)x);
        }

        ConvertScalar(limited[x..], full[x..], range, gain, offset);
    }

    internal static void LumaScalar(ReadOnlySpan<byte> limited, Span<byte> full) => ConvertScalar(limited, full, 219, LumaGain, 128);

    internal static void ChromaScalar(ReadOnlySpan<byte> limited, Span<byte> full) => ConvertScalar(limited, full, 224, ChromaGain, ChromaOffset);

    private static void ConvertScalar(ReadOnlySpan<byte> limited, Span<byte> full, int range, int gain, int offset)
    {
        for (var x = 0; x < limited.Length; x++)
            full[x] = (byte)((Math.Min(Math.Max(limited[x] - 16, 0), range) * gain + offset) >> 8);
    }
}
