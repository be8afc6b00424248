using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using CmvcStream.Core.Media;

namespace CmvcStream.Core.Motion;

/// <summary>How different two pictures of the same size are, by luma: cheap enough to ask for each frame.</summary>
public static unsafe class FrameDistance
{
    private const int Window = 8;

    /// <summary>Mean squared error of luma, in grey levels squared.</summary>
    /// <exception cref="ArgumentException">The sizes differ.</exception>
    public static double LumaMse(VideoFrame a, VideoFrame b) => (double)LumaSquaredError(a, b) / a.Size.Area;

    /// <summary>Sum of squared errors of luma, in grey levels squared.</summary>
    /// <exception cref="ArgumentException">The sizes differ.</exception>
    public static long LumaSquaredError(VideoFrame a, VideoFrame b)
    {
        Check(a, b);
        var sum = 0L;
        for (var y = 0; y < a.Size.Height; y++)
        {
            fixed (byte* p = a.Y.Row(y), q = b.Y.Row(y))
                sum += SquaredError(p, q, a.Size.Width);
        }

        return sum;
    }

    /// <summary>
    /// 1 - SSIM (Wang et al. 2004) of luma at half size over 8x8 windows, not overlapping: 0 for equal pictures, about 1 for unrelated ones.
    /// At half size coding noise weighs less than displaced or missing things.
    /// </summary>
    /// <exception cref="ArgumentException">The sizes differ.</exception>
    public static double Structural(VideoFrame a, VideoFrame b)
    {
        Check(a, b);
        int width = a.Size.Width / 2, height = a.Size.Height / 2, columns = width / Window, rows = height / Window;
        var stride = (width + 31) & ~31;
        // At most 2 x 8 rows of 2048 pixels.
        var scratch = stackalloc byte[2 * Window * stride];
        byte* sa = scratch, sb = scratch + Window * stride;
        var sum = 0.0;
        for (var j = 0; j < rows; j++)
        {
            for (var y = 0; y < Window; y++)
            {
                var row = 2 * (j * Window + y);
                fixed (byte* p = a.Y.Row(row), q = b.Y.Row(row))
                {
                    PaddedPlane.HalveRow(p, a.Y.Stride, sa + y * stride, width);
                    PaddedPlane.HalveRow(q, b.Y.Stride, sb + y * stride, width);
                }
            }

            for (var i = 0; i < columns; i++)
                sum += Ssim(Moments.Of(sa + i * Window, sb + i * Window, stride));
        }

        return 1 - sum / (columns * rows);
    }

    internal static long SquaredError(byte* p, byte* q, int n)
    {
        var x = 0;
        var total = 0L;
        if (Vector128.IsHardwareAccelerated)
        {
            var sum = Vector256<int>.Zero;
            for (; x <= n - 16; x += 16)
            {
                Vector128<byte> a = Vector128.Load(p + x), b = Vector128.Load(q + x);
                var (low, high) = Vector128.Widen(Vector128.Max(a, b) - Vector128.Min(a, b));
                var (l0, l1) = Vector128.Widen(low * low);
                var (h0, h1) = Vector128.Widen(high * high);
                sum += Vector256.Create(l0 + l1, h0 + h1).AsInt32();
            }

            total = Vector256.Sum(sum);
        }

        return total + SquaredErrorScalar(p + x, q + x, n - x);
    }

    internal static long SquaredErrorScalar(byte* p, byte* q, int n)
    {
        var sum = 0L;
        for (var x = 0; x < n; x++)
            sum += (p[x] - q[x]) * (p[x] - q[x]);
        return sum;
    }

    private static double Ssim(Moments m)
    {
        const double n = Window * Window, c1 = 0.01 * 255 * 0.01 * 255, c2 = 0.03 * 255 * 0.03 * 255;
        double ma = m.A / n, mb = m.B / n, va = m.Aa / n - ma * ma, vb = m.Bb / n - mb * mb, vab = m.Ab / n - ma * mb;
        return (2 * ma * mb + c1) * (2 * vab + c2) / ((ma * ma + mb * mb + c1) * (va + vb + c2));
    }

    private static void Check(VideoFrame a, VideoFrame b, [CallerArgumentExpression(nameof(b))] string name = "")
    {
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(b);
        if (a.Size != b.Size)
            throw new ArgumentException($"distance between a picture of {a.Size} and one of {b.Size}: scale one of them first", name);
    }

    /// <summary>Sums over a window of two pictures: values, squares, products.</summary>
    internal readonly record struct Moments(int A, int B, int Aa, int Bb, int Ab)
    {
        public static Moments Of(byte* p, byte* q, int stride)
        {
            if (!Vector128.IsHardwareAccelerated)
                return OfScalar(p, q, stride);
            Vector128<ushort> a = default, b = default;
            Vector128<uint> aa = default, bb = default, ab = default;
            for (var y = 0; y < Window; y++, p += stride, q += stride)
            {
                var u = Vector128.WidenLower(Vector128.CreateScalar(Unsafe.ReadUnaligned<ulong>(p)).AsByte());
                var v = Vector128.WidenLower(Vector128.CreateScalar(Unsafe.ReadUnaligned<ulong>(q)).AsByte());
                a += u;
                b += v;
                aa += Pairs(u * u);
                bb += Pairs(v * v);
                ab += Pairs(u * v);
            }

            return new(Vector128.Sum(a), Vector128.Sum(b), (int)Vector128.Sum(aa), (int)Vector128.Sum(bb), (int)Vector128.Sum(ab));
        }

        public static Moments OfScalar(byte* p, byte* q, int stride)
        {
            int a = 0, b = 0, aa = 0, bb = 0, ab = 0;
            for (var y = 0; y < Window; y++)
                for (var x = 0; x < Window; x++)
                {
                    int u = p[y * stride + x], v = q[y * stride + x];
                    a += u;
                    b += v;
                    aa += u * u;
                    bb += v * v;
                    ab += u * v;
                }

            return new(a, b, aa, bb, ab);
        }

        private static Vector128<uint> Pairs(Vector128<ushort> v) => Vector128.WidenLower(v) + Vector128.WidenUpper(v);
    }
}
