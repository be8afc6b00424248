using System.Runtime.Intrinsics;
using CmvcStream.Core.Media;

namespace CmvcStream.Core.Motion;

/// <summary>Unsharp mask with a 3x3 binomial blur; the result stays between the least and the greatest of the 3x3 neighbourhood.</summary>
internal static unsafe class Sharpener
{
    /// <param name="source">Not the destination.</param>
    /// <param name="destination">Of the same size.</param>
    /// <param name="amount">0 to 2.</param>
    public static void Apply(in Plane source, in Plane destination, float amount)
    {
        var gain = (int)MathF.Round(amount * 8);
        for (var y = 0; y < source.Height; y++)
        {
            fixed (byte* up = source.Row(Math.Max(y - 1, 0)), mid = source.Row(y), down = source.Row(Math.Min(y + 1, source.Height - 1)), d = destination.Row(y))
                Row(up, mid, down, d, source.Width, gain);
        }
    }

    /// <param name="up">The row above.</param>
    /// <param name="mid">The row.</param>
    /// <param name="down">The row below.</param>
    /// <param name="d">The row that comes out.</param>
    /// <param name="n">Pixels.</param>
    /// <param name="gain">Eighths, 0 to 16.</param>
    internal static void Row(byte* up, byte* mid, byte* down, byte* d, int n, int gain)
    {
        RowScalar(up, mid, down, d, 0, 1, n, gain);
        var x = 1;
        if (Vector128.IsHardwareAccelerated)
        {
            var k = Vector128.Create((short)gain);
            for (; x <= n - 9; x += 8)
            {
                Vector128<short> a = Load(up + x - 1), b = Load(up + x), c = Load(up + x + 1);
                Vector128<short> e = Load(mid + x - 1), f = Load(mid + x), g = Load(mid + x + 1);
                Vector128<short> h = Load(down + x - 1), i = Load(down + x), j = Load(down + x + 1);
                var blur = a + c + h + j + ((b + e + g + i) << 1) + (f << 2);
                var v = f + (((((f << 4) - blur) >> 1) * k) >> 6);
                var low = Vector128.Min(Vector128.Min(Min3(a, b, c), Min3(e, f, g)), Min3(h, i, j));
                var high = Vector128.Max(Vector128.Max(Max3(a, b, c), Max3(e, f, g)), Max3(h, i, j));
                v = Vector128.Min(Vector128.Max(v, low), high);
                System.Runtime.CompilerServices.Unsafe.WriteUnaligned(d + x, Vector128.Narrow(v.AsUInt16(), v.AsUInt16()).AsUInt64().ToScalar());
            }
        }

        RowScalar(up, mid, down, d, x, n, n, gain);
    }

    internal static void RowScalar(byte* up, byte* mid, byte* down, byte* d, int from, int to, int n, int gain)
    {
        for (var x = from; x < to; x++)
        {
            int l = Math.Max(x - 1, 0), r = Math.Min(x + 1, n - 1);
            var blur = up[l] + up[r] + down[l] + down[r] + 2 * (up[x] + down[x] + mid[l] + mid[r]) + 4 * mid[x];
            var v = mid[x] + ((((16 * mid[x] - blur) >> 1) * gain) >> 6);
            var low = Math.Min(Math.Min(Min3(up, l, x, r), Min3(mid, l, x, r)), Min3(down, l, x, r));
            var high = Math.Max(Math.Max(Max3(up, l, x, r), Max3(mid, l, x, r)), Max3(down, l, x, r));
            d[x] = (byte)Math.Clamp(v, low, high);
        }
    }

    private static int Min3(byte* p, int l, int x, int r) => Math.Min(Math.Min(p[l], p[x]), p[r]);

    private static int Max3(byte* p, int l, int x, int r) => Math.Max(Math.Max(p[l], p[x]), p[r]);

    private static Vector128<short> Min3(Vector128<short> a, Vector128<short> b, Vector128<short> c) => Vector128.Min(Vector128.Min(a, b), c);

    private static Vector128<short> Max3(Vector128<short> a, Vector128<short> b, Vector128<short> c) => Vector128.Max(Vector128.Max(a, b), c);

    private static Vector128<short> Load(byte* p) =>
        Vector128.WidenLower(Vector128.CreateScalar(System.Runtime.CompilerServices.Unsafe.ReadUnaligned<ulong>(p)).AsByte()).AsInt16();
}
