using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace CmvcStream.Core.Motion;

/// <summary>One row of a warp: where each pixel is fetched from in both keyframes, relative to itself, and the second one's share.</summary>
internal readonly unsafe struct WarpRow(float* ax, float* ay, float* bx, float* by, float* share)
{
    public readonly float* Ax = ax, Ay = ay, Bx = bx, By = by, Share = share;
}

/// <summary>
/// Fetches pixels of two padded planes at fractional places (Catmull-Rom cubic, Keys 1981, a = -0.5) and mixes them. Places are clamped to
/// just over the edge, where the padding repeats it.
/// </summary>
internal static unsafe class WarpKernels
{
    /// <summary>Places reach at most this far over the edge: two taps further is still padding.</summary>
    private const float Over = 2;

    public static void Mix(PaddedPlane a, PaddedPlane b, int y, in WarpRow row, byte* destination)
    {
        var x = 0;
        if (Vector128.IsHardwareAccelerated)
        {
            var zero = Vector256<float>.Zero;
            for (; x <= a.Width - 8; x += 8)
            {
                var share = Vector256.Load(row.Share + x);
                Vector256<float> v;
                // Often only one keyframe shows: the other is not fetched.
                if (Vector256.EqualsAll(share, zero))
                {
                    v = Fetch(a, x, y, Vector256.Load(row.Ax + x), Vector256.Load(row.Ay + x));
                }
                else if (Vector256.EqualsAll(share, Vector256<float>.One))
                {
                    v = Fetch(b, x, y, Vector256.Load(row.Bx + x), Vector256.Load(row.By + x));
                }
                else
                {
                    var p = Fetch(a, x, y, Vector256.Load(row.Ax + x), Vector256.Load(row.Ay + x));
                    var q = Fetch(b, x, y, Vector256.Load(row.Bx + x), Vector256.Load(row.By + x));
                    v = Vector256.MultiplyAddEstimate(q - p, share, p);
                }

                v += Vector256.Create(0.5f);
                v = Vector256.Min(Vector256.Max(v, zero), Vector256.Create(255f));
                var n = Vector256.ConvertToInt32(v).AsUInt32();
                var s = Vector128.Narrow(n.GetLower(), n.GetUpper());
                Unsafe.WriteUnaligned(destination + x, Vector128.Narrow(s, s).AsUInt64().ToScalar());
            }
        }

        MixScalar(a, b, x, y, row, destination);
    }

    public static void MixScalar(PaddedPlane a, PaddedPlane b, int from, int y, in WarpRow row, byte* destination)
    {
        for (var x = from; x < a.Width; x++)
        {
            float p = FetchScalar(a, x + row.Ax[x], y + row.Ay[x]), q = FetchScalar(b, x + row.Bx[x], y + row.By[x]);
            destination[x] = (byte)Math.Clamp(p + (q - p) * row.Share[x] + 0.5f, 0, 255);
        }
    }

    private static float FetchScalar(PaddedPlane plane, float x, float y)
    {
        x = Math.Clamp(x, -Over, plane.Width + Over - 1);
        y = Math.Clamp(y, -Over, plane.Height + Over - 1);
        float fx = MathF.Floor(x), fy = MathF.Floor(y);
        Span<float> wx = stackalloc float[4], wy = stackalloc float[4];
        Weights(x - fx, wx);
        Weights(y - fy, wy);
        var p = plane.Origin + ((int)fy - 1) * plane.Stride + (int)fx - 1;
        var sum = 0f;
        for (var k = 0; k < 4; k++, p += plane.Stride)
            sum += wy[k] * (p[0] * wx[0] + p[1] * wx[1] + p[2] * wx[2] + p[3] * wx[3]);
        return sum;
    }

    private static void Weights(float f, Span<float> w)
    {
        w[0] = f * (-0.5f + f * (1 - 0.5f * f));
        w[1] = 1 + f * f * (-2.5f + 1.5f * f);
        w[2] = f * (0.5f + f * (2 - 1.5f * f));
        w[3] = f * f * (-0.5f + 0.5f * f);
    }

    private static Vector256<float> Fetch(PaddedPlane plane, int x, int y, Vector256<float> dx, Vector256<float> dy)
    {
        if (Vector256.EqualsAll(dx, Vector256<float>.Zero) && Vector256.EqualsAll(dy, Vector256<float>.Zero))
            return Widen(plane.Origin + y * plane.Stride + x);
        var px = dx + Vector256.Create((float)x) + Vector256.Create(0f, 1, 2, 3, 4, 5, 6, 7);
        var py = dy + Vector256.Create((float)y);
        px = Vector256.Min(Vector256.Max(px, Vector256.Create(-Over)), Vector256.Create(plane.Width + Over - 1));
        py = Vector256.Min(Vector256.Max(py, Vector256.Create(-Over)), Vector256.Create(plane.Height + Over - 1));
        Vector256<float> fx = Vector256.Floor(px), fy = Vector256.Floor(py);
        var offset = Vector256.ConvertToInt32(fy) * plane.Stride + Vector256.ConvertToInt32(fx) - Vector256.Create(plane.Stride + 1);
        Weights(px - fx, out var x0, out var x1, out var x2, out var x3);
        Weights(py - fy, out var y0, out var y1, out var y2, out var y3);
        var p = plane.Origin;
        Vector256<float> r0, r1, r2, r3;
        var stride = plane.Stride;
        var first = offset.ToScalar();
        if (Vector256.EqualsAll(offset, Vector256.Create(first) + Vector256.Create(0, 1, 2, 3, 4, 5, 6, 7)))
        {
            // Neighbours move by the same whole pixels, as they mostly do: their taps are neighbours too.
            p += first;
            r0 = Taps(p, x0, x1, x2, x3);
            r1 = Taps(p + stride, x0, x1, x2, x3);
            r2 = Taps(p + 2 * stride, x0, x1, x2, x3);
            r3 = Taps(p + 3 * stride, x0, x1, x2, x3);
        }
        else
        {
            r0 = Taps(p, offset, x0, x1, x2, x3);
            r1 = Taps(p + stride, offset, x0, x1, x2, x3);
            r2 = Taps(p + 2 * stride, offset, x0, x1, x2, x3);
            r3 = Taps(p + 3 * stride, offset, x0, x1, x2, x3);
        }

        var sum = Vector256.MultiplyAddEstimate(r1, y1, r0 * y0);
        return Vector256.MultiplyAddEstimate(r3, y3, Vector256.MultiplyAddEstimate(r2, y2, sum));
    }

    /// <summary>Four taps of eight neighbouring places, weighted.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Taps(byte* p, Vector256<float> w0, Vector256<float> w1, Vector256<float> w2, Vector256<float> w3)
    {
        var sum = Vector256.MultiplyAddEstimate(Widen(p + 1), w1, Widen(p) * w0);
        return Vector256.MultiplyAddEstimate(Widen(p + 3), w3, Vector256.MultiplyAddEstimate(Widen(p + 2), w2, sum));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Weights(Vector256<float> f, out Vector256<float> w0, out Vector256<float> w1, out Vector256<float> w2, out Vector256<float> w3)
    {
        Vector256<float> half = Vector256.Create(0.5f), one = Vector256<float>.One;
        w0 = f * (f * (one - half * f) - half);
        w1 = one + f * f * (Vector256.Create(1.5f) * f - Vector256.Create(2.5f));
        w2 = f * (half + f * (Vector256.Create(2f) - Vector256.Create(1.5f) * f));
        w3 = f * f * (half * f - half);
    }

    /// <summary>Four neighbouring pixels at each of eight places (one 32-bit read each), weighted.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Taps(byte* p, Vector256<int> offset, Vector256<float> w0, Vector256<float> w1,
        Vector256<float> w2, Vector256<float> w3)
    {
        var four = Avx2.IsSupported
            ? Avx2.GatherVector256((int*)p, offset, 1)
            : Vector256.Create(Read(p, offset[0]), Read(p, offset[1]), Read(p, offset[2]), Read(p, offset[3]),
                Read(p, offset[4]), Read(p, offset[5]), Read(p, offset[6]), Read(p, offset[7]));
        var low = Vector256.Create(0xff);
        var sum = Vector256.ConvertToSingle(four & low) * w0;
        sum = Vector256.MultiplyAddEstimate(Vector256.ConvertToSingle((four >>> 8) & low), w1, sum);
        sum = Vector256.MultiplyAddEstimate(Vector256.ConvertToSingle((four >>> 16) & low), w2, sum);
        return Vector256.MultiplyAddEstimate(Vector256.ConvertToSingle(four >>> 24), w3, sum);
    }

    private static int Read(byte* p, int offset) => Unsafe.ReadUnaligned<int>(p + offset);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Widen(byte* p)
    {
        if (Avx2.IsSupported)
            return Vector256.ConvertToSingle(Avx2.ConvertToVector256Int32(p));
        var s = Vector128.WidenLower(Vector128.CreateScalar(Unsafe.ReadUnaligned<ulong>(p)).AsByte());
        return Vector256.ConvertToSingle(Vector256.Create(Vector128.WidenLower(s), Vector128.WidenUpper(s)).AsInt32());
    }
}
