using System.Buffers;
using System.Runtime.CompilerServices;

namespace CmvcStream.Core.Motion;

/// <summary>
/// The motion payload: the corrections of one gap, entropy coded. A gap without any takes no byte. Layout, all through the range coder:
/// number of corrections; for each, whether it has a time warp (and the change from the one before), whether it has a grid (and each node's
/// differences from what its neighbours and the grid before lead to expect).
/// </summary>
public static class MotionCodec
{
    /// <summary>Corrections in one gap, at most.</summary>
    public const int MaxCount = 120;

    /// <summary>A payload is never longer than this.</summary>
    public const int MaxBytes = 32_000;

    private const int Nodes = MotionCorrection.Columns * MotionCorrection.Rows;

    /// <summary>Writes the payload of a gap; nothing when all corrections are zero.</summary>
    /// <param name="corrections">In order of time; correction k of n is for time (k + 1) / (n + 1) of the gap.</param>
    /// <param name="output">Receives the bytes.</param>
    /// <returns>Bytes written.</returns>
    /// <exception cref="ArgumentException">More than <see cref="MaxCount"/>, or a value out of its range.</exception>
    public static int Encode(ReadOnlySpan<MotionCorrection> corrections, IBufferWriter<byte> output)
    {
        ArgumentNullException.ThrowIfNull(output);
        Check(corrections);
        var any = false;
        foreach (var c in corrections)
            any |= !c.IsZero;
        if (!any)
            return 0;
        // The worst case of one symbol is below eight bytes.
        var buffer = output.GetSpan(Math.Min(MaxBytes, 64 + corrections.Length * (Nodes * 2 + 4) * 4));
        var coder = new Symbols(new RangeEncoder(buffer));
        Code(ref coder, corrections, corrections.Length);
        var length = coder.Encoder.Finish();
        if (coder.Encoder.Overflowed)
            throw new InvalidOperationException($"motion of {corrections.Length} corrections does not fit {buffer.Length} bytes");
        if (length == 0)
            buffer[length++] = 0;
        output.Advance(length);
        return length;
    }

    /// <summary>Reads a payload.</summary>
    /// <param name="data">The bytes; none means that there are no corrections.</param>
    /// <param name="destination">Receives the corrections; those beyond the payload's count are untouched.</param>
    /// <param name="count">How many corrections the payload has.</param>
    /// <param name="error">What is wrong, when false is returned; the destination's content is then undefined.</param>
    public static bool TryDecode(ReadOnlySpan<byte> data, ReadOnlySpan<MotionCorrection> destination, out int count, out string? error)
    {
        count = 0;
        error = null;
        if (data.IsEmpty)
            return true;
        if (data.Length > MaxBytes)
        {
            error = $"motion payload of {data.Length} bytes is longer than {MaxBytes}";
            return false;
        }

        var coder = new Symbols(new RangeDecoder(data));
        count = Code(ref coder, destination, -1);
        if (count > destination.Length)
        {
            error = $"motion payload has {count} corrections where at most {destination.Length} are expected";
            count = 0;
        }
        else if (coder.Invalid)
        {
            error = "motion payload has a value out of its range";
            count = 0;
        }

        return error == null;
    }

    /// <summary>The one description of the layout, for both directions: each symbol is written, or read in place.</summary>
    private static int Code(ref Symbols coder, ReadOnlySpan<MotionCorrection> corrections, int count)
    {
        count = coder.Number(SymbolKind.Count, count - 1) + 1;
        if (count > corrections.Length || count is < 1 or > MaxCount)
        {
            coder.Invalid |= count is < 1 or > MaxCount;
            return count;
        }

        MotionCorrection? before = null;
        for (var k = 0; k < count && !coder.Invalid; k++)
        {
            var c = corrections[k];
            var warp = before?.TimeWarp ?? 0;
            c.TimeWarp = warp + coder.Signed(SymbolKind.TimeWarp, c.TimeWarp - warp);
            coder.Invalid |= Math.Abs(c.TimeWarp) > MotionCorrection.MaxTimeWarp;
            if (coder.Flag(SymbolKind.HasGrid, c.HasGrid))
            {
                CodeGrid(ref coder, c.Dx, before == null ? default : before.Dx, SymbolKind.Dx);
                CodeGrid(ref coder, c.Dy, before == null ? default : before.Dy, SymbolKind.Dy);
            }
            else
            {
                c.ClearGrid();
            }

            before = c;
        }

        return count;
    }

    private static void CodeGrid(ref Symbols coder, Span<int> grid, ReadOnlySpan<int> before, SymbolKind kind)
    {
        for (var n = 0; n < Nodes && !coder.Invalid; n++)
        {
            int left = n % MotionCorrection.Columns > 0 ? grid[n - 1] : 0, up = n >= MotionCorrection.Columns ? grid[n - MotionCorrection.Columns] : 0;
            // The nearer to zero of both, or zero between opposite ones: nodes that move alone are frequent.
            var near = left * up <= 0 ? 0 : Math.Abs(left) < Math.Abs(up) ? left : up;
            var expected = before.IsEmpty || before[n] == 0 ? near : before[n];
            // A node between nodes at rest is mostly at rest itself.
            var busy = (left != 0 ? 1 : 0) + (up != 0 ? 1 : 0) + (!before.IsEmpty && before[n] != 0 ? 1 : 0);
            grid[n] = expected + coder.Signed(kind + busy, grid[n] - expected);
            coder.Invalid |= Math.Abs(grid[n]) > MotionCorrection.MaxDisplacement;
        }
    }

    private static void Check(ReadOnlySpan<MotionCorrection> corrections)
    {
        if (corrections.Length > MaxCount)
            throw new ArgumentException($"{corrections.Length} corrections in one gap; at most {MaxCount} can be sent", nameof(corrections));
        foreach (var c in corrections)
        {
            if (Math.Abs(c.TimeWarp) > MotionCorrection.MaxTimeWarp)
                throw new ArgumentException($"time warp {c.TimeWarp} is over {MotionCorrection.MaxTimeWarp}", nameof(corrections));
            CheckGrid(c.Dx);
            CheckGrid(c.Dy);
        }
    }

    private static void CheckGrid(ReadOnlySpan<int> grid)
    {
        if (grid.ContainsAnyExceptInRange(-MotionCorrection.MaxDisplacement, MotionCorrection.MaxDisplacement))
            throw new ArgumentException($"a displacement is over {MotionCorrection.MaxDisplacement} steps", nameof(grid));
    }

    private enum SymbolKind
    {
        Count = 0,
        TimeWarp = 1,
        HasGrid = 2,
        Dx = 3,
        Dy = 7,
        Kinds = 11,
    }

    /// <summary>Symbols of several adaptive bits: flags, numbers and signed numbers (zero flag, sign, unary, then Exp-Golomb).</summary>
    private ref struct Symbols
    {
        private const int Unary = 12;
        private const int MaxGolombBits = 8;

        public RangeEncoder Encoder;
        public bool Invalid;
        private RangeDecoder _decoder;
        private readonly bool _reads;
        private Models _models;

        public Symbols(RangeEncoder encoder) => Encoder = encoder;

        public Symbols(RangeDecoder decoder)
        {
            _decoder = decoder;
            _reads = true;
        }

        public bool Flag(SymbolKind kind, bool value) => Bit((int)kind, 0, value ? 1 : 0) == 1;

        public int Signed(SymbolKind kind, int value)
        {
            var nonzero = Bit((int)kind, 0, value != 0 ? 1 : 0);
            if (nonzero == 0)
                return 0;
            var negative = Even(value < 0 ? 1 : 0) == 1;
            var magnitude = Number(kind, Math.Abs(value) - 1) + 1;
            return negative ? -magnitude : magnitude;
        }

        /// <summary>A number from 0, small ones in fewer bits.</summary>
        public int Number(SymbolKind kind, int value)
        {
            for (var n = 0; n < Unary; n++)
            {
                if (Bit((int)kind, 1 + n, value > n ? 1 : 0) == 0)
                    return n;
            }

            // Exp-Golomb of the rest.
            var rest = value - Unary + 1;
            var bits = 0;
            while (bits <= MaxGolombBits && Even(rest >> (bits + 1) != 0 ? 1 : 0) == 1)
                bits++;
            Invalid |= bits > MaxGolombBits;
            var read = 1;
            for (var b = bits - 1; b >= 0 && !Invalid; b--)
                read = (read << 1) | Even((rest >> b) & 1);
            return read - 1 + Unary;
        }

        private int Bit(int kind, int place, int bit)
        {
            ref var model = ref _models[kind * (Unary + 1) + place];
            if (_reads)
                return _decoder.Decode(ref model);
            Encoder.Encode(ref model, bit);
            return bit;
        }

        private int Even(int bit)
        {
            if (_reads)
                return _decoder.DecodeEven();
            Encoder.EncodeEven(bit);
            return bit;
        }

        [InlineArray((int)SymbolKind.Kinds * (Unary + 1))]
        private struct Models
        {
            private AdaptiveBit _first;
        }
    }
}
