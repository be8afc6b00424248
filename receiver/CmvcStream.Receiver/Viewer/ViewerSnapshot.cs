using System.Text.Json.Serialization;

namespace CmvcStream.Receiver.Viewer;

/// <summary>What the page says beside the picture. Asked for at up to 20 Hz, from any thread; must return at once.</summary>
public interface IViewerState
{
    ViewerSnapshot Snapshot();
}

/// <summary>Where the stream stands.</summary>
public enum StreamPhase
{
    /// <summary>No sender has come yet.</summary>
    [JsonStringEnumMemberName("waiting")]
    Waiting,

    /// <summary>A sender is connected.</summary>
    [JsonStringEnumMemberName("connected")]
    Connected,

    /// <summary>The sender is gone without having said goodbye; it may come back.</summary>
    [JsonStringEnumMemberName("lost")]
    Lost,

    /// <summary>The source has ended.</summary>
    [JsonStringEnumMemberName("ended")]
    Ended,
}

/// <summary>The receiver's state at one moment. Null: not known, or not measured.</summary>
public sealed record ViewerSnapshot
{
    public StreamPhase Phase { get; init; }

    /// <summary>URL at which senders are awaited.</summary>
    public string Listen { get; init; } = "";

    /// <summary>"IT2V" or "TT2V".</summary>
    public string? Mode { get; init; }

    /// <summary>What the sender calls its source.</summary>
    public string? Source { get; init; }

    /// <summary>What is wrong at the moment, for people.</summary>
    public string? Trouble { get; init; }

    /// <summary>Presentation frames a second.</summary>
    public double Fps { get; init; }

    /// <summary>Received on the wire, kbit/s, mean of the last 5 s.</summary>
    public double? WireRxKbps { get; init; }

    /// <summary>Sent on the wire, kbit/s, mean of the last 5 s.</summary>
    public double? WireTxKbps { get; init; }

    /// <summary>Payload received so far.</summary>
    public PayloadBytes? Payload { get; init; }

    /// <summary>Time since the last keyframe arrived.</summary>
    public double? KeyframeAgeSeconds { get; init; }

    /// <summary>Presented frames so far.</summary>
    public FrameCounts Frames { get; init; } = new(0, 0, 0, 0, 0);

    /// <summary>What restores keyframes, and on what; null: no network does.</summary>
    public string? Network { get; init; }

    /// <summary>From capture to presentation, milliseconds.</summary>
    public double? LatencyMs { get; init; }

    /// <summary>What the scene is now.</summary>
    public SceneLine? Scene { get; init; }

    /// <summary>The last texts, oldest first; the page shows 20.</summary>
    public IReadOnlyList<SceneLine> Transcript { get; init; } = [];
}

/// <summary>Bytes of payload by kind.</summary>
public sealed record PayloadBytes(long Keyframe, long Motion, long Text, long Control);

/// <summary>Presented frames by provenance.</summary>
public sealed record FrameCounts(long Transmitted, long Restored, long Interpolated, long Extrapolated, long Held);

/// <summary>A scene text: from which source time (seconds) it holds, the scene's number, its light and palette, its camera motion.</summary>
public sealed record SceneLine(double AtSeconds, long Scene, string Look, string Motion);

/// <summary>The text message of the page's WebSocket, and the answer of /api/state.</summary>
/// <param name="Type">"state".</param>
/// <param name="ServerMs">Unix time of the snapshot, milliseconds.</param>
/// <param name="Viewers">Pages that watch.</param>
/// <param name="State">The snapshot.</param>
internal sealed record StateMessage(string Type, double ServerMs, int Viewers, ViewerSnapshot State);

/// <summary>Answers a ping: the page compares the two clocks.</summary>
internal sealed record PongMessage(string Type, double Ping, double ServerMs);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true)]
[JsonSerializable(typeof(StateMessage))]
[JsonSerializable(typeof(PongMessage))]
internal sealed partial class ViewerJson : JsonSerializerContext;
