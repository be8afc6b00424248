using CmvcStream.Core.Media;

namespace CmvcStream.Core.Control;

/// <summary>What one direction of a constrained link is like.</summary>
public sealed record LinkSettings
{
    /// <summary>The highest rate that is taken for a real one; a link above it is a slip of the keyboard.</summary>
    public static readonly Bitrate MaxRate = new(10_000_000_000);

    /// <summary>The longest one-way delay that is taken for a real one.</summary>
    public static readonly MediaTime MaxDelay = MediaTime.FromSeconds(60);

    /// <summary>Serialisation rate in bits on the wire, headers included; null is no limit.</summary>
    public Bitrate? Rate { get; init; }

    /// <summary>One-way propagation delay, added after serialisation.</summary>
    public MediaTime Delay { get; init; }

    /// <summary>Each packet's delay is drawn evenly from Delay - Jitter to Delay + Jitter; packets keep their order all the same.</summary>
    public MediaTime Jitter { get; init; }

    /// <summary>
    /// Bytes that wait for the link, the packet that is being sent included, what is under way not. A packet larger than this
    /// passes when nothing else waits, so that no setting shuts the link.
    /// </summary>
    public DataSize Queue { get; init; } = new(4000);

    /// <summary>The same seed gives the same link.</summary>
    public int Seed { get; init; }

    /// <summary>4 KB, or one second of the rate where that is more: a faster link needs a longer queue to stay busy.</summary>
    public static DataSize DefaultQueue(Bitrate? rate) => new(Math.Max(4000, rate is { } r ? r.Over(MediaTime.FromSeconds(1)).Bytes : 0));

    /// <summary>Refuses what no link can be.</summary>
    /// <exception cref="ArgumentException">A value is out of range; the message names it, its value and the range.</exception>
    public void Validate()
    {
        if (Rate is { } rate && (rate.BitsPerSecond < 1 || rate.BitsPerSecond > MaxRate.BitsPerSecond))
            throw new ArgumentException($"rate {rate} is out of range: 1 bit/s to 10 Gbit/s");
        if (Delay < MediaTime.Zero || Delay > MaxDelay)
            throw new ArgumentException($"delay {Delay} is out of range: 0 to {MaxDelay}");
        if (Jitter < MediaTime.Zero || Jitter > Delay)
            throw new ArgumentException($"jitter {Jitter} is out of range: 0 to the delay ({Delay}), which varies by ± the jitter");
        if (Queue.Bytes is < 1 or > 1_000_000_000)
            throw new ArgumentException($"queue {Queue} is out of range: 1 B to 1 GB");
    }
}

/// <summary>What has gone through one direction of a link so far. Sizes are bytes on the wire.</summary>
/// <param name="OfferedPackets">Packets brought to the link, the dropped ones included.</param>
/// <param name="OfferedBytes">Their bytes.</param>
/// <param name="DeliveredPackets">Packets that came out at the far end.</param>
/// <param name="DeliveredBytes">Their bytes.</param>
/// <param name="DroppedPackets">Packets that found the queue full.</param>
/// <param name="DroppedBytes">Their bytes.</param>
/// <param name="Queued">Bytes waiting now, the packet that is being sent included.</param>
/// <param name="QueueHigh">The most that ever waited.</param>
/// <param name="PeakRate">The most that the link carried in any five seconds (20 ms grid), as a rate over five seconds.</param>
public readonly record struct LinkCounters(
    long OfferedPackets, DataSize OfferedBytes, long DeliveredPackets, DataSize DeliveredBytes, long DroppedPackets, DataSize DroppedBytes,
    DataSize Queued, DataSize QueueHigh, Bitrate PeakRate);
