using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace CmvcStream.Evaluate.Metrics;

/// <summary>Peak signal-to-noise ratio of 8-bit pictures, and the mean squared error that it is made of.</summary>
internal static class Psnr
{
    /// <summary>What equal pictures get, in dB: their ratio has no bound, and a mean of several would have none either.</summary>
    public const double Most = 100;

    // A lane of 32 bits takes four squares a step: 16512 steps fit.
    private const int StepsPerSum = 16384;

    /// <summary>Mean squared error of two planes of the same size (or of interleaved pixels), in levels squared.</summary>
    /// <exception cref="ArgumentException">The sizes differ, or there is nothing to compare.</exception>
    public static double MeanSquaredError(ReadOnlySpan<byte> a, ReadOnlySpan<byte> b)
    {
        if (a.Length != b.Length || a.IsEmpty)
            throw new ArgumentException($"mean squared error of {a.Length} and {b.Length} bytes: give two pictures of the same size", nameof(b));
        return (double)SquaredError(a, b) / a.Length;
    }

    /// <summary>
    /// The ratio in dB, <see cref="Most"/> at the most. A clip's is that of the mean of its pictures' errors (as ffmpeg's psnr
    /// filter has it), not the mean of their ratios: one equal picture would outweigh the others.
    /// </summary>
    public static double Decibels(double meanSquaredError) =>
        meanSquaredError > 0 ? Math.Min(Most, 10 * Math.Log10(255.0 * 255.0 / meanSquaredError)) : Most;

    internal static long SquaredError(ReadOnlySpan<byte> a, ReadOnlySpan<byte> b)
    {
        ref byte p = ref MemoryMarshal.GetReference(a), q = ref MemoryMarshal.GetReference(b);
        var x = 0;
        var total = 0L;
        while (x <= a.Length - Vector256<byte>.Count)
        {
            var sum = Vector256<uint>.Zero;
            var end = (int)Math.Min(a.Length - Vector256<byte>.Count, x + (StepsPerSum - 1L) * Vector256<byte>.Count);
            for (; x <= end; x += Vector256<byte>.Count)
            {
                Vector256<byte> u = Vector256.LoadUnsafe(ref p, (nuint)x), v = Vector256.LoadUnsafe(ref q, (nuint)x);
                var (low, high) = Vector256.Widen(Vector256.Max(u, v) - Vector256.Min(u, v));
                var (l0, l1) = Vector256.Widen(low * low);
                var (h0, h1) = Vector256.Widen(high * high);
                sum += (l0 + l1) + (h0 + h1);
            }

            var (s0, s1) = Vector256.Widen(sum);
            total += (long)Vector256.Sum(s0 + s1);
        }

        return total + SquaredErrorScalar(a[x..], b[x..]);
    }

    internal static long SquaredErrorScalar(ReadOnlySpan<byte> a, ReadOnlySpan<byte> b)
    {
        var sum = 0L;
        for (var x = 0; x < a.Length; x++)
            sum += (a[x] - b[x]) * (a[x] - b[x]);
        return sum;
    }
}
