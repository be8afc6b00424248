using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace CmvcStream.Core.Codec;

/// <summary>Cosine similarity of embeddings, the same to the last bit on every machine.</summary>
public static class Similarity
{
    /// <summary>
    /// The cosine of the angle between two vectors, -1 to 1. Two zero vectors are alike (1), a zero and a non-zero one are not (0).
    /// Vectors with a value that is not finite are like nothing (0): a broken model makes keyframes, it does not stop the stream.
    /// </summary>
    /// <exception cref="ArgumentException">The lengths differ.</exception>
    public static float Cosine(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        if (a.Length != b.Length)
            throw new ArgumentException($"embeddings of {a.Length} and {b.Length} values cannot be compared", nameof(b));
        // Eight fixed lanes and no fused multiply-add: the order of the additions does not depend on the processor.
        Vector256<float> ab = default, aa = default, bb = default;
        var whole = a.Length & ~7;
        var va = MemoryMarshal.Cast<float, Vector256<float>>(a[..whole]);
        var vb = MemoryMarshal.Cast<float, Vector256<float>>(b[..whole]);
        for (var i = 0; i < va.Length; i++)
        {
            ab += va[i] * vb[i];
            aa += va[i] * va[i];
            bb += vb[i] * vb[i];
        }

        double dot = Total(ab), na = Total(aa), nb = Total(bb);
        for (var i = whole; i < a.Length; i++)
        {
            dot += (double)a[i] * b[i];
            na += (double)a[i] * a[i];
            nb += (double)b[i] * b[i];
        }

        if (!double.IsFinite(na) || !double.IsFinite(nb))
            return 0;
        if (na == 0 || nb == 0)
            return na == nb ? 1 : 0;
        return (float)Math.Clamp(dot / (Math.Sqrt(na) * Math.Sqrt(nb)), -1, 1);
    }

    private static double Total(Vector256<float> lanes)
    {
        double total = 0;
        for (var i = 0; i < Vector256<float>.Count; i++)
            total += lanes[i];
        return total;
    }
}
