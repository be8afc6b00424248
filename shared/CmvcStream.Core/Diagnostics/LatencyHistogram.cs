using System.Numerics;
using CmvcStream.Core.Media;

namespace CmvcStream.Core.Diagnostics;

/// <summary>
/// Times of a whole run in constant memory: exact below 64 us, in steps of 3 % above. Not safe from several threads.
/// </summary>
public sealed class LatencyHistogram
{
    private const int Steps = 32; // to each power of two
    private readonly long[] _bins = new long[Steps * 60];
    private long _count, _max;

    public void Add(MediaTime time)
    {
        var value = Math.Max(0, time.Microseconds);
        _bins[BinOf(value)]++;
        _count++;
        _max = Math.Max(_max, value);
    }

    /// <summary>In milliseconds; null when nothing was measured.</summary>
    public Percentiles? Percentiles() => _count == 0 ? null : new(Quantile(0.5), Quantile(0.95), Round(_max));

    private double Quantile(double share)
    {
        var rank = (long)((_count - 1) * share);
        var bin = 0;
        for (var seen = _bins[0]; seen <= rank; seen += _bins[bin])
            bin++;
        return Round(Math.Min(MiddleOf(bin), _max));
    }

    private static int BinOf(long value)
    {
        if (value < Steps)
            return (int)value;
        var shift = BitOperations.Log2((ulong)value) - 5;
        return (shift * Steps) + (int)(value >> shift);
    }

    private static double MiddleOf(int bin)
    {
        if (bin < 2 * Steps)
            return bin;
        var shift = (bin / Steps) - 1;
        return (bin - (shift * Steps) + 0.5) * (1L << shift);
    }

    private static double Round(double microseconds) => Math.Round(microseconds / 1000, 2);
}
