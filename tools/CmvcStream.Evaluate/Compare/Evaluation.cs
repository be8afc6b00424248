using System.Text.Json;
using System.Text.Json.Serialization;
using CmvcStream.Evaluate.Measure;

namespace CmvcStream.Evaluate.Compare;

/// <summary>All that an evaluation measured: the JSON file. Reports, tables and comparisons are made from it and from nothing else.</summary>
internal sealed record Evaluation
{
    public const int CurrentSchema = 1;

    public int Schema { get; init; } = CurrentSchema;

    public required MadeOn Made { get; init; }

    public required Settings Settings { get; init; }

    public required List<ClipResult> Clips { get; init; }

    /// <summary>What could not be measured, and why.</summary>
    public List<string> Failures { get; init; } = [];

    /// <summary>What people would use instead, on the same link, end to end.</summary>
    public List<LiveResult> Live { get; init; } = [];

    /// <exception cref="EvaluateException">The file is missing or is no evaluation.</exception>
    public static Evaluation Read(string path)
    {
        try
        {
            var read = JsonSerializer.Deserialize(File.ReadAllText(path), EvaluationJson.Default.Evaluation);
            return read is { Schema: CurrentSchema }
                ? read
                : throw new EvaluateException($"{path} is an evaluation of schema {read?.Schema}; this version reads {CurrentSchema}: evaluate again");
        }
        catch (Exception e) when (e is JsonException or IOException or UnauthorizedAccessException)
        {
            throw new EvaluateException($"{path} cannot be read as an evaluation: {e.Message}", e);
        }
    }

    public void Write(string path) => PartFile.Write(path, this);
}

/// <summary>When, where and with what it was measured.</summary>
internal sealed record MadeOn(string Date, string Machine, string Product, Dictionary<string, string> Versions);

/// <summary>What was asked for.</summary>
/// <param name="RatesKbps">Budgets, kbit/s on the wire.</param>
/// <param name="Seconds">Length of each sequence.</param>
/// <param name="SkipSeconds">At its start, not scored: start-up is reported apart.</param>
/// <param name="Every">
/// Every n-th captured frame is scored. No multiple of 2 or 3 is fair: at half and third frame rate the others show each frame twice or thrice.
/// </param>
/// <param name="Fps">Captured frames a second.</param>
/// <param name="Box">Bounding box of the picture.</param>
/// <param name="Mode">--mode of the sender.</param>
/// <param name="Link">The link's settings for throttle beside its rate, as on its command line.</param>
/// <param name="Lpips">File name of the network and the first half of its SHA-256, or null.</param>
internal sealed record Settings(double[] RatesKbps, int Seconds, int SkipSeconds, int Every, int Fps, string Box, string Mode, string Link, string? Lpips);

/// <summary>One clip: ours at each rate, and the curves of the others.</summary>
internal sealed record ClipResult(string Name, string Source, string Size, List<OurResult> Ours, List<PeerPoint> Peers);

/// <summary>Our sender and receiver over a link of one rate.</summary>
internal sealed record OurResult
{
    public required double RateKbps { get; init; }

    /// <summary>Bytes on the wire from sender to receiver, IP headers and setting up included, over the length of the source, as the others' are.</summary>
    public required double WireKbps { get; init; }

    /// <summary>From connecting to the sender's end: longer than the source by what was still under way.</summary>
    public required double ConnectedSeconds { get; init; }

    /// <summary>Bytes of keyframes, motion, text and control over the length of the source.</summary>
    public required double PayloadKbps { get; init; }

    public required Scores Scores { get; init; }

    public required StartUp Start { get; init; }

    public required Shown Shown { get; init; }

    /// <summary>Seconds from capture to display.</summary>
    public double? LatencyP50 { get; init; }

    public double? LatencyP95 { get; init; }

    public required double KeyframesPerSecond { get; init; }

    /// <summary>Seconds in TT2V, where no picture is sent.</summary>
    public required double TextOnlySeconds { get; init; }

    public required string[] Commands { get; init; }

    /// <summary>File of its picture at the moment that reports show.</summary>
    public string? Picture { get; init; }
}

/// <summary>Seconds from the receiver's accepting the session.</summary>
internal sealed record StartUp(double? Text, double? Picture, double? Full);

/// <summary>How what was shown moved on.</summary>
/// <param name="FreshShare">Share of presented frames that are not held, after the first picture.</param>
/// <param name="Freezes">How often nothing new was shown for more than a second.</param>
/// <param name="LongestFreeze">Seconds.</param>
/// <param name="Provenance">Share of each kind of frame.</param>
internal sealed record Shown(double FreshShare, int Freezes, double LongestFreeze, Dictionary<string, double> Provenance);

/// <summary>One encoding by one of the others.</summary>
internal sealed record PeerPoint
{
    public required string Codec { get; init; }

    /// <summary>Divisor of the size: 1, 2 or 4.</summary>
    public required int Size { get; init; }

    /// <summary>Divisor of the frame rate: 1, 2 or 3.</summary>
    public required int Rate { get; init; }

    /// <summary><see cref="Peers.PeerSetting.ZeroLatency"/> or <see cref="Peers.PeerSetting.Lookahead"/>.</summary>
    public required string Setting { get; init; }

    /// <summary>What was asked of its rate control.</summary>
    public required string Control { get; init; }

    /// <summary>Bytes of all packets over the length of the source, no container, no parameter sets.</summary>
    public required double PayloadKbps { get; init; }

    /// <summary>The same packed as RTP over UDP.</summary>
    public required double WireKbps { get; init; }

    public required Scores Scores { get; init; }

    public required string Command { get; init; }

    /// <summary>File of its picture at the moment that reports show, in the folder of the clip's encodings.</summary>
    public required string Picture { get; init; }

    /// <summary>What makes it a curve with others: all but what was asked of the rate control.</summary>
    [JsonIgnore]
    public string Configuration => $"{Codec}, {Setting}, {Fraction(Size)} size, {Fraction(Rate)} frame rate";

    private static string Fraction(int divisor) => divisor switch { 1 => "full", 2 => "half", 3 => "third", _ => "quarter" };
}

/// <summary>Somebody's stream on the link, end to end.</summary>
internal sealed record LiveResult
{
    public required string Clip { get; init; }

    public required string Name { get; init; }

    public required double RateKbps { get; init; }

    /// <summary>What it was set to.</summary>
    public required string Settings { get; init; }

    /// <summary>Why nothing was shown; null where something was.</summary>
    public string? Failure { get; init; }

    public double? FirstPicture { get; init; }

    public double? ShownShare { get; init; }

    public int? Freezes { get; init; }

    public double? LongestFreeze { get; init; }

    public double? LatencyP50 { get; init; }

    public double? LatencyP95 { get; init; }

    public double? WireKbps { get; init; }

    public Scores? Scores { get; init; }

    public required string[] Commands { get; init; }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, WriteIndented = true)]
[JsonSerializable(typeof(Evaluation))]
[JsonSerializable(typeof(OurResult))]
[JsonSerializable(typeof(Scores))]
[JsonSerializable(typeof(PeerPoint))]
[JsonSerializable(typeof(LiveResult))]
internal sealed partial class EvaluationJson : JsonSerializerContext;
