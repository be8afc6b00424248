using System.Text.Json;
using System.Text.Json.Serialization;
using CmvcStream.Core.Diagnostics;

namespace CmvcStream.Throttle;

/// <summary>What has gone through the relay: the statistics file. Up is from those who connect to the target, down is back.</summary>
/// <param name="Seconds">Since the relay began to accept.</param>
/// <param name="Connections">How many there were, of TCP.</param>
/// <param name="Up">Towards the target.</param>
/// <param name="Down">From the target.</param>
/// <param name="Link">What each direction is like now.</param>
public sealed record ThrottleStats(double Seconds, ConnectionStats Connections, DirectionStats Up, DirectionStats Down, LinkStats Link)
{
    [JsonPropertyOrder(-2)]
    public int Schema { get; init; } = 1;

    [JsonPropertyOrder(-1)]
    public string Role { get; init; } = "throttle";

    /// <summary>"running" meanwhile, "done" in the last file, "failed" when the relay could not go on.</summary>
    [JsonPropertyOrder(-1)]
    public string Exit { get; init; } = "running";

    /// <summary>Clients of UDP; null when it is not relayed. Refused are datagrams.</summary>
    public ConnectionStats? Udp { get; init; }

    public string ToJson() => JsonSerializer.Serialize(this, ThrottleJson.Default.ThrottleStats);
}

/// <param name="Open">Relayed now.</param>
/// <param name="Total">Accepted so far.</param>
/// <param name="Refused">Accepted, but the target could not be reached.</param>
public sealed record ConnectionStats(int Open, long Total, long Refused);

/// <summary>One direction. Bytes are bytes on the wire, headers included, unless named payload.</summary>
/// <param name="RateBps">The link's rate in bit/s, a trace's on average; null is no limit.</param>
/// <param name="Bytes">Delivered.</param>
/// <param name="Packets">Delivered: segments, acknowledgements, handshakes and datagrams.</param>
/// <param name="PayloadBytes">Delivered, without headers.</param>
/// <param name="OfferedBytes">Brought to the link: delivered, dropped, lost, waiting or under way.</param>
/// <param name="Dropped">Packets that found the queue full.</param>
/// <param name="QueueBytes">Waiting now.</param>
/// <param name="QueueMaxBytes">The most that ever waited.</param>
/// <param name="Max5sBps">The most that was carried in any 5 s, as bit/s over 5 s.</param>
public sealed record DirectionStats(
    long? RateBps, long Bytes, long Packets, long PayloadBytes, long OfferedBytes, long Dropped, long QueueBytes, long QueueMaxBytes,
    [property: JsonPropertyName("max_5s_bps")] long Max5sBps)
{
    /// <summary>Packets that were sent and did not arrive.</summary>
    public long Lost { get; init; }

    public long LostBytes { get; init; }

    /// <summary>Packets that were sent twice.</summary>
    public long Duplicated { get; init; }

    /// <summary>Packets that were overtaken.</summary>
    public long Reordered { get; init; }

    /// <summary>TCP segments that were sent again.</summary>
    public long Retransmitted { get; init; }

    public long RetransmittedBytes { get; init; }

    /// <summary>What of the delivered packets was UDP.</summary>
    public long UdpPackets { get; init; }

    public long UdpBytes { get; init; }

    /// <summary>How long packets were in the queue, their own sending included, over the whole run; the delay comes on top.</summary>
    public Percentiles? QueueMs { get; init; }

    internal static DirectionStats Of(LinkState state, LinkDriver link)
    {
        var c = state.Counters;
        return new(
            state.Settings.MeanRate?.BitsPerSecond, c.DeliveredBytes.Bytes, c.DeliveredPackets, link.PayloadBytes, c.OfferedBytes.Bytes,
            c.DroppedPackets, c.Queued.Bytes, c.QueueHigh.Bytes, c.PeakRate.BitsPerSecond)
        {
            Lost = c.LostPackets,
            LostBytes = c.LostBytes.Bytes,
            Duplicated = c.DuplicatedPackets,
            Reordered = c.ReorderedPackets,
            Retransmitted = c.RetransmittedPackets,
            RetransmittedBytes = c.RetransmittedBytes.Bytes,
            UdpPackets = link.Datagrams.Packets,
            UdpBytes = link.Datagrams.Bytes,
            QueueMs = state.QueueDelay,
        };
    }
}

/// <summary>What the link is like now; shares are 0 to 1.</summary>
/// <param name="RateBps">Bit/s; null where there is no limit or a trace.</param>
/// <param name="TraceBps">Bit/s of the trace on average; null where there is none.</param>
/// <param name="DelayMs">One way.</param>
/// <param name="JitterMs">Plus or minus.</param>
/// <param name="Loss">Share of packets.</param>
/// <param name="LossBurst">Packets in a row, on average; null is each for itself.</param>
/// <param name="Reorder">Share of packets.</param>
/// <param name="Duplicate">Share of packets.</param>
/// <param name="QueueBytes">What may wait.</param>
/// <param name="Outage">Whether there is one just now.</param>
public sealed record LinkStats(
    long? RateBps, long? TraceBps, double DelayMs, double JitterMs, double Loss, double? LossBurst, double Reorder, double Duplicate,
    long QueueBytes, bool Outage)
{
    internal static LinkStats Of(LinkState state)
    {
        var s = state.Settings;
        return new(
            s.Rate?.BitsPerSecond, s.Trace?.Mean.BitsPerSecond, s.Delay.Milliseconds, s.Jitter.Milliseconds, s.Loss, s.LossBurst, s.Reorder,
            s.Duplicate, s.Queue.Bytes, !state.IsUp);
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, WriteIndented = true)]
[JsonSerializable(typeof(ThrottleStats))]
internal sealed partial class ThrottleJson : JsonSerializerContext;
