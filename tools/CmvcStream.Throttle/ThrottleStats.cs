using System.Text.Json;
using System.Text.Json.Serialization;

namespace CmvcStream.Throttle;

/// <summary>What has gone through the relay: the statistics file. Up is from those who connect to the target, down is back.</summary>
/// <param name="Seconds">Since the relay began to accept.</param>
/// <param name="Connections">How many there were.</param>
/// <param name="Up">Towards the target.</param>
/// <param name="Down">From the target.</param>
public sealed record ThrottleStats(double Seconds, ConnectionStats Connections, DirectionStats Up, DirectionStats Down)
{
    [JsonPropertyOrder(-2)]
    public int Schema { get; init; } = 1;

    [JsonPropertyOrder(-1)]
    public string Role { get; init; } = "throttle";

    /// <summary>"running" meanwhile, "done" in the last file, "failed" when the relay could not go on.</summary>
    [JsonPropertyOrder(-1)]
    public string Exit { get; init; } = "running";

    public string ToJson() => JsonSerializer.Serialize(this, ThrottleJson.Default.ThrottleStats);
}

/// <param name="Open">Relayed now.</param>
/// <param name="Total">Accepted so far.</param>
/// <param name="Refused">Accepted, but the target could not be reached.</param>
public sealed record ConnectionStats(int Open, long Total, long Refused);

/// <summary>One direction. Bytes are bytes on the wire, headers included, unless named payload.</summary>
/// <param name="RateBps">The link's rate in bit/s; null is no limit.</param>
/// <param name="Bytes">Delivered.</param>
/// <param name="Packets">Delivered: segments, acknowledgements and handshakes.</param>
/// <param name="PayloadBytes">Delivered, without headers.</param>
/// <param name="OfferedBytes">Brought to the link: delivered, dropped, waiting or under way.</param>
/// <param name="Dropped">Packets that found the queue full.</param>
/// <param name="QueueBytes">Waiting now.</param>
/// <param name="QueueMaxBytes">The most that ever waited.</param>
/// <param name="Max5sBps">The most that was carried in any 5 s, as bit/s over 5 s.</param>
public sealed record DirectionStats(
    long? RateBps, long Bytes, long Packets, long PayloadBytes, long OfferedBytes, long Dropped, long QueueBytes, long QueueMaxBytes,
    [property: JsonPropertyName("max_5s_bps")] long Max5sBps)
{
    internal static DirectionStats Of(LinkDriver link)
    {
        var c = link.Counters;
        return new(
            link.Settings.Rate?.BitsPerSecond, c.DeliveredBytes.Bytes, c.DeliveredPackets, link.PayloadBytes, c.OfferedBytes.Bytes,
            c.DroppedPackets, c.Queued.Bytes, c.QueueHigh.Bytes, c.PeakRate.BitsPerSecond);
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, WriteIndented = true)]
[JsonSerializable(typeof(ThrottleStats))]
internal sealed partial class ThrottleJson : JsonSerializerContext;
