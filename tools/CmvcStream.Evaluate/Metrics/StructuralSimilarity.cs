using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace CmvcStream.Evaluate.Metrics;

/// <summary>Both similarities of a pair of pictures: 1 for equal ones, about 0 for unrelated ones.</summary>
internal readonly record struct Similarity(double Ssim, double MultiScale);

/// <summary>
/// SSIM (Wang, Bovik, Sheikh, Simoncelli 2004) and MS-SSIM (Wang, Simoncelli, Bovik 2003) of luma: Gaussian window of 11x11, sigma 1.5,
/// K1 = 0.01, K2 = 0.03, L = 255. Only windows that lie within the picture count, as in the authors' programs and scikit-image.
/// </summary>
/// <remarks>
/// A scale of MS-SSIM is the one before, averaged over squares of 2x2 (an odd edge repeated). Five take 161 pixels at the shorter side;
/// smaller pictures have fewer scales (<see cref="Scales"/>), with the weights of those that remain scaled up to a sum of 1. That keeps 1
/// for equal pictures and compares two codecs on the same clip fairly, but values of different scale counts are not comparable.
/// A negative mean counts as 0, for a broken power of it is not real. libvmaf's float_ms_ssim differs, by some hundredths for blur: it halves
/// by a 9/7 wavelet's low-pass filter and multiplies separate means of contrast and structure.
/// Not for several threads at once: the buffers are the object's, so that a picture allocates nothing.
/// </remarks>
internal sealed class StructuralSimilarity
{
    internal const int Window = 11;
    private const int Lanes = 8, Maps = 4;
    private const float C1 = 0.01f * 255 * (0.01f * 255), C2 = 0.03f * 255 * (0.03f * 255);
    // Levels are stored less this: float keeps more of the variances, which are differences of squares, where the squares are small.
    private const float Middle = 128;

    private static readonly double[] s_weights = [0.0448, 0.2856, 0.3001, 0.2363, 0.1333];
    private static readonly float[] s_gauss = Gauss();

    private readonly Scale[] _scales;
    private readonly double[] _exponents;
    // The last eleven rows, filtered along: of each eight columns both means, the mean of the sums of squares and that of the products.
    private readonly float[] _ring;
    private readonly float[] _tail = new float[Lanes];

    /// <exception cref="ArgumentOutOfRangeException">The picture is smaller than the window.</exception>
    public StructuralSimilarity(int width, int height)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(width, Window);
        ArgumentOutOfRangeException.ThrowIfLessThan(height, Window);
        var scales = new List<Scale>();
        for (int w = width, h = height; scales.Count < s_weights.Length && Math.Min(w, h) >= Window; w = (w + 1) / 2, h = (h + 1) / 2)
            scales.Add(new(w, h));
        _scales = [.. scales];
        var sum = s_weights.Take(_scales.Length).Sum();
        _exponents = [.. s_weights.Take(_scales.Length).Select(w => w / sum)];
        _ring = new float[Window * Maps * _scales[0].Padded];
    }

    /// <summary>How many scales MS-SSIM has for pictures of this size: 1 to 5.</summary>
    public int Scales => _scales.Length;

    /// <summary>SSIM of two planes of luma, rows without padding.</summary>
    /// <exception cref="ArgumentException">A plane's size is not the one that was promised.</exception>
    public double Ssim(ReadOnlySpan<byte> a, ReadOnlySpan<byte> b)
    {
        Load(a, b);
        return Measure(_scales[0]).Whole;
    }

    /// <summary>SSIM and MS-SSIM of two planes of luma, rows without padding.</summary>
    /// <exception cref="ArgumentException">A plane's size is not the one that was promised.</exception>
    public Similarity Both(ReadOnlySpan<byte> a, ReadOnlySpan<byte> b)
    {
        Load(a, b);
        double ssim = 0, product = 1;
        for (var i = 0; i < _scales.Length; i++)
        {
            if (i > 0)
            {
                Halve(_scales[i - 1].A, _scales[i - 1], _scales[i].A, _scales[i]);
                Halve(_scales[i - 1].B, _scales[i - 1], _scales[i].B, _scales[i]);
            }

            var (whole, contrast) = Measure(_scales[i]);
            if (i == 0)
                ssim = whole;
            // Luminance counts at the coarsest scale alone.
            product *= Math.Pow(Math.Max(0, i == _scales.Length - 1 ? whole : contrast), _exponents[i]);
        }

        return new(ssim, product);
    }

    private static float[] Gauss()
    {
        var weights = Enumerable.Range(-Window / 2, Window).Select(i => Math.Exp(-i * i / (2 * 1.5 * 1.5))).ToArray();
        var sum = weights.Sum();
        return [.. weights.Select(w => (float)(w / sum))];
    }

    private void Load(ReadOnlySpan<byte> a, ReadOnlySpan<byte> b)
    {
        var scale = _scales[0];
        if (a.Length != scale.Width * scale.Height || b.Length != a.Length)
            throw new ArgumentException($"planes of {a.Length} and {b.Length} bytes are not pictures of {scale.Width}x{scale.Height}", nameof(a));
        for (var y = 0; y < scale.Height; y++)
        {
            Convert(a.Slice(y * scale.Width, scale.Width), scale.A.AsSpan(y * scale.Stride, scale.Width));
            Convert(b.Slice(y * scale.Width, scale.Width), scale.B.AsSpan(y * scale.Stride, scale.Width));
        }
    }

    private static void Convert(ReadOnlySpan<byte> from, Span<float> to)
    {
        ref var p = ref MemoryMarshal.GetReference(from);
        ref var q = ref MemoryMarshal.GetReference(to);
        var middle = Vector256.Create(Middle);
        var x = 0;
        for (; x <= from.Length - 2 * Lanes; x += 2 * Lanes)
        {
            var (low, high) = Vector128.Widen(Vector128.LoadUnsafe(ref p, (nuint)x));
            (Floats(low) - middle).StoreUnsafe(ref q, (nuint)x);
            (Floats(high) - middle).StoreUnsafe(ref q, (nuint)(x + Lanes));
        }

        for (; x < from.Length; x++)
            to[x] = from[x] - Middle;
    }

    private static Vector256<float> Floats(Vector128<ushort> v) =>
        Vector256.ConvertToSingle(Vector256.Create(Vector128.WidenLower(v), Vector128.WidenUpper(v)).AsInt32());

    private static void Halve(float[] from, Scale big, float[] to, Scale small)
    {
        for (var y = 0; y < small.Height; y++)
        {
            ReadOnlySpan<float> upper = from.AsSpan(2 * y * big.Stride, big.Width),
                lower = from.AsSpan(Math.Min(2 * y + 1, big.Height - 1) * big.Stride, upper.Length);
            var row = to.AsSpan(y * small.Stride, small.Width);
            for (var x = 0; x < big.Width / 2; x++)
                row[x] = 0.25f * (upper[2 * x] + upper[2 * x + 1] + lower[2 * x] + lower[2 * x + 1]);
            if (big.Width % 2 == 1)
                row[^1] = 0.5f * (upper[^1] + lower[^1]);
        }
    }

    /// <summary>Means over all windows of the similarity and of its factor without luminance.</summary>
    private (double Whole, double Contrast) Measure(Scale scale)
    {
        int columns = scale.Width - Window + 1, rows = scale.Height - Window + 1;
        for (var i = 0; i < Lanes; i++)
            _tail[i] = columns % Lanes == 0 || i < columns % Lanes ? 1 : 0;
        double whole = 0, contrast = 0;
        for (var y = 0; y < scale.Height; y++)
        {
            FilterAlong(scale, y);
            if (y < Window - 1)
                continue;
            var (w, c) = CompareRow(scale, y - Window + 1);
            whole += w;
            contrast += c;
        }

        var count = (double)columns * rows;
        return (whole / count, contrast / count);
    }

    private void FilterAlong(Scale scale, int y)
    {
        ref float a = ref scale.A[y * scale.Stride], b = ref scale.B[y * scale.Stride], to = ref _ring[y % Window * Maps * scale.Padded];
        for (var x = 0; x < scale.Padded; x += Lanes)
        {
            Vector256<float> ma = default, mb = default, squares = default, products = default;
            for (var k = 0; k < Window; k++)
            {
                var weight = Vector256.Create(s_gauss[k]);
                Vector256<float> va = Vector256.LoadUnsafe(ref a, (nuint)(x + k)), vb = Vector256.LoadUnsafe(ref b, (nuint)(x + k));
                Vector256<float> wa = weight * va, wb = weight * vb;
                ma += wa;
                mb += wb;
                squares = Vector256.MultiplyAddEstimate(wa, va, Vector256.MultiplyAddEstimate(wb, vb, squares));
                products = Vector256.MultiplyAddEstimate(wa, vb, products);
            }

            ma.StoreUnsafe(ref to, (nuint)(Maps * x));
            mb.StoreUnsafe(ref to, (nuint)(Maps * x + Lanes));
            squares.StoreUnsafe(ref to, (nuint)(Maps * x + 2 * Lanes));
            products.StoreUnsafe(ref to, (nuint)(Maps * x + 3 * Lanes));
        }
    }

    /// <summary>Sums over the windows whose first row is y.</summary>
    private (float Whole, float Contrast) CompareRow(Scale scale, int y)
    {
        Vector256<float> c1 = Vector256.Create(C1), c2 = Vector256.Create(C2), middle = Vector256.Create(Middle);
        Vector256<float> whole = default, contrast = default;
        for (var x = 0; x < scale.Padded; x += Lanes)
        {
            Vector256<float> ma = default, mb = default, squares = default, products = default;
            var slot = y % Window;
            for (var k = 0; k < Window; k++)
            {
                ref var row = ref _ring[slot * Maps * scale.Padded + Maps * x];
                var weight = Vector256.Create(s_gauss[k]);
                ma = Vector256.MultiplyAddEstimate(weight, Vector256.LoadUnsafe(ref row), ma);
                mb = Vector256.MultiplyAddEstimate(weight, Vector256.LoadUnsafe(ref row, Lanes), mb);
                squares = Vector256.MultiplyAddEstimate(weight, Vector256.LoadUnsafe(ref row, 2 * Lanes), squares);
                products = Vector256.MultiplyAddEstimate(weight, Vector256.LoadUnsafe(ref row, 3 * Lanes), products);
                slot = slot == Window - 1 ? 0 : slot + 1;
            }

            var structure = (2 * (products - ma * mb) + c2) / (squares - ma * ma - mb * mb + c2);
            // The variances do not mind the shift of the levels; luminance does.
            (ma, mb) = (ma + middle, mb + middle);
            var luminance = (2 * (ma * mb) + c1) / (ma * ma + mb * mb + c1);
            if (x == scale.Padded - Lanes)
                structure *= Vector256.LoadUnsafe(ref _tail[0]);
            contrast += structure;
            whole += luminance * structure;
        }

        return (Vector256.Sum(whole), Vector256.Sum(contrast));
    }

    private sealed class Scale(int width, int height)
    {
        public readonly int Width = width, Height = height;

        /// <summary>Windows in a row, up to whole vectors.</summary>
        public readonly int Padded = (width - Window + 1 + Lanes - 1) / Lanes * Lanes;

        /// <summary>Floats from a row to the next: what the last vector reads beyond a row is there, and stays 0.</summary>
        public readonly int Stride = (width + 2 * Lanes - 1) / Lanes * Lanes;

        public readonly float[] A = new float[height * ((width + 2 * Lanes - 1) / Lanes * Lanes)];
        public readonly float[] B = new float[height * ((width + 2 * Lanes - 1) / Lanes * Lanes)];
    }
}
