using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace CmvcStream.Core.Motion;

/// <summary>Three by three median of a grid; cells over the edge count as the nearest one inside.</summary>
internal static unsafe class Median
{
    public static void Filter3x3(ReadOnlySpan<float> source, Span<float> destination, int columns, int rows)
    {
        fixed (float* s = source)
        fixed (float* d = destination)
        {
            for (var j = 0; j < rows; j++)
            {
                float* up = s + Math.Max(j - 1, 0) * columns, mid = s + j * columns, down = s + Math.Min(j + 1, rows - 1) * columns;
                var o = d + j * columns;
                var i = 0;
                FilterScalar(up, mid, down, o, 0, 1, columns);
                i = 1;
                if (Vector128.IsHardwareAccelerated)
                {
                    for (; i <= columns - 9; i += 8)
                        Of9(L(up, i - 1), L(up, i), L(up, i + 1), L(mid, i - 1), L(mid, i), L(mid, i + 1),
                            L(down, i - 1), L(down, i), L(down, i + 1)).Store(o + i);
                }

                FilterScalar(up, mid, down, o, i, columns, columns);
            }
        }
    }

    public static void Filter3x3Scalar(ReadOnlySpan<float> source, Span<float> destination, int columns, int rows)
    {
        fixed (float* s = source)
        fixed (float* d = destination)
        {
            for (var j = 0; j < rows; j++)
                FilterScalar(s + Math.Max(j - 1, 0) * columns, s + j * columns, s + Math.Min(j + 1, rows - 1) * columns,
                    d + j * columns, 0, columns, columns);
        }
    }

    private static Vector256<float> L(float* p, int i) => Vector256.Load(p + i);

    private static void FilterScalar(float* up, float* mid, float* down, float* o, int from, int to, int columns)
    {
        Span<float> v = stackalloc float[9];
        for (var i = from; i < to; i++)
        {
            int l = Math.Max(i - 1, 0), r = Math.Min(i + 1, columns - 1);
            v[0] = up[l];
            v[1] = up[i];
            v[2] = up[r];
            v[3] = mid[l];
            v[4] = mid[i];
            v[5] = mid[r];
            v[6] = down[l];
            v[7] = down[i];
            v[8] = down[r];
            v.Sort();
            o[i] = v[4];
        }
    }

    /// <summary>Median of nine by nineteen exchanges (Paeth, "Median finding on a 3x3 grid", Graphics Gems, 1990).</summary>
    private static Vector256<float> Of9(Vector256<float> a, Vector256<float> b, Vector256<float> c, Vector256<float> d, Vector256<float> e,
        Vector256<float> f, Vector256<float> g, Vector256<float> h, Vector256<float> i)
    {
        // Columns sorted: the median is the median of (largest of the lows, median of the middles, smallest of the highs).
        Sort3(ref a, ref b, ref c);
        Sort3(ref d, ref e, ref f);
        Sort3(ref g, ref h, ref i);
        var low = Vector256.Max(Vector256.Max(a, d), g);
        var high = Vector256.Min(Vector256.Min(c, f), i);
        Sort3(ref b, ref e, ref h);
        Sort3(ref low, ref e, ref high);
        return e;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Sort3(ref Vector256<float> a, ref Vector256<float> b, ref Vector256<float> c)
    {
        Exchange(ref b, ref c);
        Exchange(ref a, ref b);
        Exchange(ref b, ref c);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Exchange(ref Vector256<float> a, ref Vector256<float> b)
    {
        var low = Vector256.Min(a, b);
        b = Vector256.Max(a, b);
        a = low;
    }
}
