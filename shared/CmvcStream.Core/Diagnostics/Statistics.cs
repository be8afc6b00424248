using System.Text.Json;
using System.Text.Json.Serialization;

namespace CmvcStream.Core.Diagnostics;

/// <summary>What a program measured, one schema for both ends. What was not measured is null, never 0.</summary>
public sealed class Statistics
{
    public int Schema { get; init; } = 1;

    /// <summary>"sender" or "receiver".</summary>
    public required string Role { get; init; }

    /// <summary>"running", "done", "failed" or "stopped".</summary>
    public string Exit { get; set; } = "running";

    public double Seconds { get; set; }

    public WireStatistics Wire { get; set; } = new();

    public PayloadStatistics Payload { get; set; } = new();

    /// <summary>Milliseconds from the program's start: connected, first text, first picture, first keyframe at full size.</summary>
    public StartStatistics StartMs { get; set; } = new();

    public ModeStatistics Modes { get; set; } = new();

    public FrameStatistics Frames { get; set; } = new();

    /// <summary>The sender's view of its link; the receiver has none.</summary>
    public LinkStatistics? Link { get; set; }

    public PresentationStatistics? Presentation { get; set; }

    /// <summary>Capture to presentation; null where the clocks of the two ends do not agree.</summary>
    public Percentiles? LatencyMs { get; set; }

    public Dictionary<string, Percentiles?> StagesMs { get; set; } = [];

    /// <summary>Reads what <see cref="Write"/> has written.</summary>
    /// <exception cref="IOException">The file cannot be read.</exception>
    /// <exception cref="JsonException">It holds no statistics.</exception>
    public static Statistics Read(string path) =>
        JsonSerializer.Deserialize(File.ReadAllText(path), StatisticsJson.Default.Statistics) ?? throw new JsonException($"{path} holds no statistics");

    /// <summary>Writes the file in one step: who reads it never sees half of it.</summary>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public void Write(string path)
    {
        var json = JsonSerializer.Serialize(this, StatisticsJson.Default.Statistics);
        var partial = path + ".partial";
        File.WriteAllText(partial, json + "\n");
        File.Move(partial, path, overwrite: true);
    }
}

/// <param name="Bytes">IP headers included.</param>
/// <param name="Packets">Segments or datagrams.</param>
public sealed record WireCount(long Bytes, long Packets);

public sealed class WireStatistics
{
    public WireCount? Tx { get; set; }

    public WireCount? Rx { get; set; }

    /// <summary>"tcp_info" (the kernel's counters) or "model".</summary>
    public string? From { get; set; }
}

public sealed record PayloadCount(long Keyframe, long Motion, long Text, long Control);

public sealed class PayloadStatistics
{
    public PayloadCount? Tx { get; set; }

    public PayloadCount? Rx { get; set; }
}

public sealed class StartStatistics
{
    public double? Connect { get; set; }

    public double? Text { get; set; }

    public double? Picture { get; set; }

    public double? Full { get; set; }
}

/// <param name="Seconds">Since the program's start.</param>
/// <param name="From">A mode.</param>
/// <param name="To">The next.</param>
/// <param name="Reason">Why.</param>
/// <param name="EstimateBps">What the link carried by then, by the sender's estimate.</param>
public sealed record ModeSwitch([property: JsonPropertyName("t_s")] double Seconds, string From, string To, string Reason, long? EstimateBps);

public sealed class ModeStatistics
{
    public double It2vS { get; set; }

    public double Tt2vS { get; set; }

    public List<ModeSwitch> Switches { get; set; } = [];
}

/// <summary>How the link is, by what the receiver reports.</summary>
public sealed record LinkStatistics
{
    /// <summary>What it carries, bit/s on the wire.</summary>
    public long? EstimateBps { get; init; }

    /// <summary>What is spent of it.</summary>
    public long RateBps { get; init; }

    /// <summary>What the rate is spent on.</summary>
    public SpendingStatistics? Spending { get; init; }

    /// <summary>Without queues and serialisation.</summary>
    public double? RoundTripMs { get; init; }

    /// <summary>How long the last packet waited for those before it.</summary>
    public double? QueueingMs { get; init; }

    /// <summary>Sent and not reported.</summary>
    public int InFlightBytes { get; init; }

    /// <summary>Packets that were held up far longer than the rate explains.</summary>
    public long Stalls { get; init; }

    /// <summary>Packets that never came.</summary>
    public long Lost { get; init; }

    /// <summary>Coded, but too old to be sent.</summary>
    public long DroppedKeyframes { get; init; }

    /// <summary>Fresh connections after the first.</summary>
    public int Reconnections { get; init; }
}

/// <summary>What a rate pays for now, whatever the content.</summary>
/// <param name="KeyframeMs">Between keyframes, on average.</param>
/// <param name="KeyframeBytes">Of a keyframe's payload, about.</param>
/// <param name="MotionBytes">Of the motion between two keyframes, at most.</param>
public sealed record SpendingStatistics(double KeyframeMs, int KeyframeBytes, int MotionBytes);

public sealed class FrameStatistics
{
    public long? Captured { get; set; }

    public long? Coded { get; set; }

    /// <summary>Frames between keyframes whose motion was described.</summary>
    public long? Described { get; set; }

    public long? Generated { get; set; }

    public long? Presented { get; set; }

    public long? Frozen { get; set; }

    public long? Dropped { get; set; }
}

public sealed record PresentationStatistics(double Fps, int Width, int Height);

public sealed record Percentiles(double P50, double P95, double Max);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, WriteIndented = true)]
[JsonSerializable(typeof(Statistics))]
internal sealed partial class StatisticsJson : JsonSerializerContext;
