using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace CmvcStream.Core.Motion;

/// <summary>Sums of absolute differences of 8x8 pixel windows.</summary>
internal static unsafe class BlockKernels
{
    public const int Window = 8;

    /// <summary>An 8x8 window held in registers while candidates are compared with it.</summary>
    public readonly struct Block(byte* p, int stride)
    {
        private readonly Vector128<byte> _r01 = TwoRows(p, stride), _r23 = TwoRows(p + 2 * stride, stride),
            _r45 = TwoRows(p + 4 * stride, stride), _r67 = TwoRows(p + 6 * stride, stride);

        /// <summary>Sum of absolute differences from the window at <paramref name="q"/>.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public int Sad(byte* q, int stride)
        {
            Vector128<byte> q01 = TwoRows(q, stride), q23 = TwoRows(q + 2 * stride, stride),
                q45 = TwoRows(q + 4 * stride, stride), q67 = TwoRows(q + 6 * stride, stride);
            if (Sse2.IsSupported)
            {
                var s = Sse2.SumAbsoluteDifferences(_r01, q01) + Sse2.SumAbsoluteDifferences(_r23, q23)
                    + Sse2.SumAbsoluteDifferences(_r45, q45) + Sse2.SumAbsoluteDifferences(_r67, q67);
                return s.GetElement(0) + s.GetElement(4);
            }

            return Vector128.Sum(Differences(_r01, q01) + Differences(_r23, q23) + Differences(_r45, q45) + Differences(_r67, q67));
        }

        private static Vector128<ushort> Differences(Vector128<byte> a, Vector128<byte> b)
        {
            var (low, high) = Vector128.Widen(Vector128.Max(a, b) - Vector128.Min(a, b));
            return low + high;
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static Vector128<byte> TwoRows(byte* p, int stride) =>
            Vector128.Create(Unsafe.ReadUnaligned<ulong>(p), Unsafe.ReadUnaligned<ulong>(p + stride)).AsByte();
    }

    public static int SadScalar(byte* p, int pStride, byte* q, int qStride)
    {
        var sum = 0;
        for (var y = 0; y < Window; y++)
            for (var x = 0; x < Window; x++)
                sum += Math.Abs(p[y * pStride + x] - q[y * qStride + x]);
        return sum;
    }
}
