using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using CmvcStream.Core.Media;

namespace CmvcStream.Codecs.Scaling;

/// <summary>
/// Scales pictures down from one size to another: bicubic (Catmull-Rom) widened by the ratio, so that nothing aliases; integer
/// arithmetic. Chroma follows luma's ratio exactly, also where odd sizes round. One thread at a time.
/// </summary>
public sealed class FrameScaler
{
    private readonly PixelSize _source;
    private readonly PixelSize _target;
    private readonly FilterBank _lumaX, _lumaY, _chromaX, _chromaY;
    private readonly int[] _row;

    public FrameScaler(PixelSize source, PixelSize target)
    {
        _source = source;
        _target = target;
        double x = (double)source.Width / target.Width, y = (double)source.Height / target.Height;
        _lumaX = new(source.Width, target.Width, x);
        _lumaY = new(source.Height, target.Height, y);
        _chromaX = new(source.Chroma.Width, target.Chroma.Width, x);
        _chromaY = new(source.Chroma.Height, target.Chroma.Height, y);
        _row = new int[source.Width];
    }

    /// <summary>Writes <paramref name="source"/> at the target size into <paramref name="target"/>.</summary>
    public void Scale(VideoFrame source, VideoFrame target)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(target);
        if (source.Size != _source || target.Size != _target)
            throw new ArgumentException($"scales {_source} to {_target}, not {source.Size} to {target.Size}", nameof(source));
        Scale(source.Y, target.Y, _lumaX, _lumaY);
        Scale(source.U, target.U, _chromaX, _chromaY);
        Scale(source.V, target.V, _chromaX, _chromaY);
        target.Pts = source.Pts;
    }

    private void Scale(in Plane source, in Plane target, FilterBank x, FilterBank y)
    {
        var row = _row.AsSpan(0, source.Width);
        for (var v = 0; v < target.Height; v++)
        {
            Vertical(source, y.Start(v), y.Weights(v), row);
            Horizontal(row, x, target.Row(v));
        }
    }

    /// <summary>One row of weighted source rows, in 1/128 of a level.</summary>
    internal static void Vertical(in Plane source, int start, ReadOnlySpan<int> weights, Span<int> row)
    {
        ref var to = ref MemoryMarshal.GetReference(row);
        var x = 0;
        for (; x <= row.Length - 8; x += 8)
        {
            var sum = Vector256.Create(FilterBank.One / 256);
            for (var k = 0; k < weights.Length; k++)
            {
                ref var from = ref source.Row(start + k)[x];
                var pixels = Vector128.WidenLower(Vector128.CreateScalarUnsafe(System.Runtime.CompilerServices.Unsafe.ReadUnaligned<ulong>(ref from)).AsByte());
                sum += Vector256.Create(Vector128.WidenLower(pixels), Vector128.WidenUpper(pixels)).AsInt32() * weights[k];
            }

            (sum >> 7).StoreUnsafe(ref to, (nuint)x);
        }

        VerticalScalar(source, start, weights, row, x);
    }

    internal static void VerticalScalar(in Plane source, int start, ReadOnlySpan<int> weights, Span<int> row, int from = 0)
    {
        for (var x = from; x < row.Length; x++)
        {
            var sum = FilterBank.One / 256;
            for (var k = 0; k < weights.Length; k++)
                sum += source.Row(start + k)[x] * weights[k];
            row[x] = sum >> 7;
        }
    }

    private static void Horizontal(ReadOnlySpan<int> row, FilterBank bank, Span<byte> target)
    {
        for (var x = 0; x < target.Length; x++)
        {
            var weights = bank.Weights(x);
            var from = row.Slice(bank.Start(x), weights.Length);
            var sum = 1 << 20;
            for (var k = 0; k < weights.Length; k++)
                sum += from[k] * weights[k];
            target[x] = (byte)Math.Clamp(sum >> 21, 0, 255);
        }
    }

    /// <summary>For each target position the source positions and their weights (which sum to <see cref="One"/>).</summary>
    private sealed class FilterBank
    {
        internal const int One = 1 << 14;

        private readonly int _taps;
        private readonly int[] _starts;
        private readonly int[] _weights;

        internal FilterBank(int source, int target, double ratio)
        {
            var width = Math.Max(1, ratio);
            _taps = Math.Min(source, (int)Math.Ceiling(4 * width) + 1);
            _starts = new int[target];
            _weights = new int[target * _taps];
            var exact = new double[_taps];
            for (var i = 0; i < target; i++)
            {
                var centre = (i + 0.5) * ratio - 0.5;
                var first = (int)Math.Ceiling(centre - 2 * width);
                _starts[i] = Math.Clamp(first, 0, source - _taps);
                Array.Clear(exact);
                for (var k = first; k <= centre + 2 * width; k++)
                    exact[Math.Clamp(Math.Clamp(k, 0, source - 1) - _starts[i], 0, _taps - 1)] += CatmullRom((k - centre) / width);
                Quantize(exact, _weights.AsSpan(i * _taps, _taps));
            }
        }

        internal int Start(int i) => _starts[i];

        internal ReadOnlySpan<int> Weights(int i) => _weights.AsSpan(i * _taps, _taps);

        private static void Quantize(double[] exact, Span<int> weights)
        {
            var total = exact.Sum();
            int sum = 0, largest = 0;
            for (var k = 0; k < weights.Length; k++)
            {
                weights[k] = (int)Math.Round(exact[k] / total * One);
                sum += weights[k];
                if (weights[k] > weights[largest])
                    largest = k;
            }

            weights[largest] += One - sum;
        }

        // Keys, "Cubic convolution interpolation for digital image processing", 1981, a = -1/2.
        private static double CatmullRom(double t)
        {
            t = Math.Abs(t);
            return t < 1 ? (1.5 * t - 2.5) * t * t + 1 : t < 2 ? ((-0.5 * t + 2.5) * t - 4) * t + 2 : 0;
        }
    }
}
