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

    /// <summary>When the link may send, instead of a rate; null is a fixed rate.</summary>
    public LinkTrace? Trace { get; init; }

    /// <summary>The share of packets that are lost, 0 to 1: after they have taken the wire's time, as noise on the way would do it.</summary>
    public double Loss { get; init; }

    /// <summary>
    /// Packets in a row that are lost together, on average, at least 1: a Gilbert-Elliott channel whose bad state loses all and whose
    /// good one nothing, with that mean stay in the bad state and <see cref="Loss"/> over all. Null: each packet for itself.
    /// </summary>
    public double? LossBurst { get; init; }

    /// <summary>The share of packets that the next one overtakes, 0 to 0.5. One that nothing follows for about a second goes on alone.</summary>
    public double Reorder { get; init; }

    /// <summary>The share of packets that are sent twice, 0 to 1: the second time right after the first, and on the same wire.</summary>
    public double Duplicate { get; init; }

    /// <summary>
    /// When nothing can be sent. The packet that is being sent when an outage begins is cut off and lost; those that wait in the queue wait
    /// longer, and what has left it before arrives.
    /// </summary>
    public IReadOnlyList<LinkOutage> Outages { get; init; } = [];

    /// <summary>The same seed gives the same link.</summary>
    public int Seed { get; init; }

    /// <summary>What the link carries on average when there is always something to send; null is no limit.</summary>
    public Bitrate? MeanRate => Trace?.Mean ?? Rate;

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
        if (Trace is not null && Rate is not null)
            throw new ArgumentException("rate and trace exclude each other: a trace says when what may be sent; scale the trace instead");
        ValidateFaults();
    }

    /// <summary>Whether no outage covers a time.</summary>
    public bool IsUp(MediaTime time) => UpFrom(time) == time;

    /// <summary>When the link is up again: the time itself unless an outage covers it.</summary>
    internal MediaTime UpFrom(MediaTime time)
    {
        for (var i = 0; i < Outages.Count; i++)
        {
            if (Outages[i].Start > time || Outages[i].End <= time)
                continue;
            time = Outages[i].End;
            i = -1; // one that was looked at before may go on from here
        }

        return time;
    }

    /// <summary>When the next outage begins, seen from a time at which the link is up.</summary>
    internal MediaTime NextOutage(MediaTime time)
    {
        var next = new MediaTime(long.MaxValue);
        for (var i = 0; i < Outages.Count; i++)
        {
            if (Outages[i].Start >= time && Outages[i].Start < next)
                next = Outages[i].Start;
        }

        return next;
    }

    private void ValidateFaults()
    {
        if (Loss is not (>= 0 and <= 1))
            throw new ArgumentException($"loss {Percent(Loss)} is out of range: 0 % to 100 %");
        if (LossBurst is { } burst && burst is not (>= 1 and <= 10_000))
            throw new ArgumentException($"loss burst {burst} is out of range: 1 to 10000 packets");
        if (LossBurst is { } mean && Loss > mean / (1 + mean))
            throw new ArgumentException($"loss {Percent(Loss)} is out of range: with bursts of {mean} packets at most {Percent(mean / (1 + mean))}, as one packet at least comes through in between");
        if (Reorder is not (>= 0 and <= 0.5))
            throw new ArgumentException($"reorder {Percent(Reorder)} is out of range: 0 % to 50 %");
        if (Duplicate is not (>= 0 and <= 1))
            throw new ArgumentException($"duplicate {Percent(Duplicate)} is out of range: 0 % to 100 %");
        if (Outages is null || Outages.Count > 1000)
            throw new ArgumentException("outages are out of range: none to 1000");
        if (Outages.FirstOrDefault(o => o.Start < MediaTime.Zero || o.Length <= MediaTime.Zero || o.Length > LinkOutage.Endless) is { } wrong && wrong != default)
            throw new ArgumentException($"outage {wrong} is out of range: it begins at 0 s or later and lasts longer than 0 s");
    }

    private static string Percent(double share) => FormattableString.Invariant($"{share * 100:0.###} %");
}

/// <summary>What has gone through one direction of a link so far. Sizes are bytes on the wire.</summary>
/// <param name="OfferedPackets">Packets brought to the link, with those dropped, sent again and doubled.</param>
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
    DataSize Queued, DataSize QueueHigh, Bitrate PeakRate)
{
    /// <summary>Packets that were sent and did not arrive. Offered is delivered, dropped, lost, and what is in the link now.</summary>
    public long LostPackets { get; init; }

    /// <summary>Their bytes.</summary>
    public DataSize LostBytes { get; init; }

    /// <summary>Second copies, which count as offered and as delivered as well.</summary>
    public long DuplicatedPackets { get; init; }

    /// <summary>Packets that were overtaken.</summary>
    public long ReorderedPackets { get; init; }

    /// <summary>Segments of streams that were sent again; each counts as offered once more.</summary>
    public long RetransmittedPackets { get; init; }

    /// <summary>Their bytes.</summary>
    public DataSize RetransmittedBytes { get; init; }
}
