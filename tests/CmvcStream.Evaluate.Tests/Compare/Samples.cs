using CmvcStream.Evaluate.Compare;

namespace CmvcStream.Evaluate.Tests.Compare;

/// <summary>Small evaluations with numbers that can be followed by hand.</summary>
internal static class Samples
{
    public static Settings Settings { get; } = new([4, 8], 30, 6, 5, 15, "480x270", "it2v", "--delay 50ms", null);

    public static Evaluation Of(params ClipResult[] clips) => new()
    {
        Made = new("2026-01-02", "2 cores of a test", "1.0", new() { ["product"] = "1.0" }),
        Settings = Settings,
        Clips = [.. clips],
    };

    public static ClipResult Clip(string name, OurResult[] ours, params PeerPoint[] peers) => new(name, name + ".mp4", "480x270", [.. ours], [.. peers]);

    /// <summary>Ours: its wire rate is a kbit/s above its payload.</summary>
    public static OurResult Ours(double rate, double payload, double psnr, double? lpips = null) => new()
    {
        RateKbps = rate,
        PayloadKbps = payload,
        WireKbps = payload + 1,
        ConnectedSeconds = 32,
        Scores = new(psnr, psnr / 50, psnr / 45, lpips, null, null),
        Start = new(1, 2, 3),
        Shown = new(.9, 0, .2, new() { ["interpolated"] = .8, ["held"] = .1, ["transmitted"] = .1 }),
        LatencyP50 = 2,
        LatencyP95 = 3,
        KeyframesPerSecond = 1.5,
        TextOnlySeconds = 0,
        Commands = ["./cmvc send <now>"],
    };

    public static PeerPoint Peer(string codec, double payload, double wire, double psnr, int size = 1, int rate = 1, string setting = "zero-latency", double? lpips = null) => new()
    {
        Codec = codec,
        Size = size,
        Rate = rate,
        Setting = setting,
        Control = "-b:v 8k",
        PayloadKbps = payload,
        WireKbps = wire,
        Scores = new(psnr, psnr / 50, psnr / 45, lpips, null, null),
        Command = $"ffmpeg {codec} {payload}",
        Picture = "none.jpg",
    };
}
