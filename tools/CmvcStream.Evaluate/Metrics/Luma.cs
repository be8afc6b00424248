using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace CmvcStream.Evaluate.Metrics;

/// <summary>Grey levels of RGB pictures: BT.601 luma, full range, rounded as OpenCV's COLOR_RGB2GRAY rounds it.</summary>
internal static class Luma
{
    // OpenCV's weights in units of 2^-15 (modules/imgproc/src/color.hpp): they add up to 1.
    private const int Red = 9798, Green = 19235, Blue = 3735, Shift = 15, Half = 1 << (Shift - 1);

    /// <param name="rgb">RGB24, rows without padding: three bytes a pixel.</param>
    /// <param name="luma">Takes one byte a pixel.</param>
    /// <exception cref="ArgumentException">The lengths do not belong together.</exception>
    public static void FromRgb(ReadOnlySpan<byte> rgb, Span<byte> luma)
    {
        if (rgb.Length != 3 * luma.Length)
            throw new ArgumentException($"{rgb.Length} bytes of RGB for {luma.Length} pixels: there are three bytes a pixel", nameof(rgb));
        ref var from = ref MemoryMarshal.GetReference(rgb);
        ref var to = ref MemoryMarshal.GetReference(luma);
        var x = 0;
        // A step of 16 pixels reads 52 bytes: four more than it takes.
        for (; x <= luma.Length - 18; x += 16)
        {
            Vector256<int> low = Eight(ref Unsafe.Add(ref from, 3 * x)), high = Eight(ref Unsafe.Add(ref from, 3 * x + 24));
            // Narrowing keeps the order of the lanes.
            var words = Vector256.Narrow(low, high).AsUInt16();
            Vector128.Narrow(words.GetLower(), words.GetUpper()).StoreUnsafe(ref to, (nuint)x);
        }

        FromRgbScalar(rgb[(3 * x)..], luma[x..]);
    }

    internal static void FromRgbScalar(ReadOnlySpan<byte> rgb, Span<byte> luma)
    {
        for (var x = 0; x < luma.Length; x++)
            luma[x] = (byte)((rgb[3 * x] * Red + rgb[3 * x + 1] * Green + rgb[3 * x + 2] * Blue + Half) >> Shift);
    }

    /// <summary>Luma of eight pixels; reads 28 bytes.</summary>
    private static Vector256<int> Eight(ref byte from)
    {
        // One pixel a lane, its fourth byte empty (an index out of range).
        var spread = Vector128.Create((byte)0, 1, 2, 255, 3, 4, 5, 255, 6, 7, 8, 255, 9, 10, 11, 255);
        var a = Vector128.Shuffle(Vector128.LoadUnsafe(ref from), spread);
        var b = Vector128.Shuffle(Vector128.LoadUnsafe(ref from, 12), spread);
        var pixels = Vector256.Create(a, b).AsInt32();
        var octet = Vector256.Create(255);
        return ((pixels & octet) * Red + ((pixels >> 8) & octet) * Green + (pixels >> 16) * Blue + Vector256.Create(Half)) >> Shift;
    }
}
