using CmvcStream.Core.Media;

namespace CmvcStream.Core.Control;

/// <summary>
/// The most data in any five seconds, on a grid of 20 ms, in constant memory. Data is spread over the time that its sending took:
/// counted as points in time, five seconds of whole packets would look faster than the link is.
/// </summary>
public sealed class LinkRateMeter
{
    private const int Bins = 250;
    private const long BinMicroseconds = 20_000;
    private readonly double[] _bins = new double[Bins];
    private long _newest;
    private double _sum, _peak;

    /// <summary>The window that rates are taken over.</summary>
    public static readonly MediaTime Window = new(Bins * BinMicroseconds);

    /// <summary>The highest rate over any window so far; less than a window's worth of data still counts over a whole window.</summary>
    public Bitrate Peak => new((long)Math.Round(_peak * 8 / Window.Seconds));

    /// <summary>Adds data sent from start to end; not before what was added earlier.</summary>
    public void Add(MediaTime start, MediaTime end, DataSize size)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(end, start);
        if (end == start)
        {
            AddToBin(start.Microseconds / BinMicroseconds, size.Bytes);
            return;
        }

        var bytesPerMicrosecond = (double)size.Bytes / (end - start).Microseconds;
        for (var from = start.Microseconds; from < end.Microseconds;)
        {
            var bin = from / BinMicroseconds;
            var to = Math.Min((bin + 1) * BinMicroseconds, end.Microseconds);
            AddToBin(bin, bytesPerMicrosecond * (to - from));
            from = to;
        }
    }

    private void AddToBin(long bin, double bytes)
    {
        if (bin - _newest >= Bins)
        {
            Array.Clear(_bins);
            _sum = 0;
            _newest = bin;
        }

        while (_newest < bin)
        {
            ref var oldest = ref _bins[++_newest % Bins];
            _sum -= oldest;
            oldest = 0;
        }

        _bins[bin % Bins] += bytes;
        _sum += bytes;
        _peak = Math.Max(_peak, _sum);
    }
}
