using System.CommandLine;
using System.CommandLine.Invocation;
using CmvcStream.CommandLine;
using CmvcStream.Core.Control;
using CmvcStream.Core.Media;
using CmvcStream.Sender.Capture;
using CmvcStream.Transport;

namespace CmvcStream.Sender;

/// <summary>The sender's command line.</summary>
public static class SendCommand
{
    /// <summary>Runs the sender; the result is its exit code: 0 done, 1 failed at run time, 2 wrong usage.</summary>
    public static async Task<int> RunAsync(string[] args, TextWriter output, TextWriter error)
    {
        if (args is ["devices"])
            return await CameraDevices.ListAsync(output, error, CancellationToken.None);
        var parsed = Build(error).Parse(args);
        return parsed.Action is ParseErrorAction
            ? CommandOptions.Refuse("send", error, parsed.Errors.Select(e => e.Message))
            : await parsed.InvokeAsync(new() { Output = output, Error = error, ProcessTerminationTimeout = TimeSpan.FromSeconds(10) });
    }

    private static RootCommand Build(TextWriter error)
    {
        var source = new Option<string>("--source") { HelpName = "URI", Description = "camera:/dev/video0, file:clip.mp4, rtsp://..., screen: or synthetic:street.", Required = true };
        var to = CommandOptions.Value("--to", "URL", t => CommandOptions.ParseUrl(t, "http://127.0.0.1:50051"), "The receiver, for example http://127.0.0.1:50051.", required: true);
        var transport = new Option<string>("--transport") { HelpName = "grpc", Description = "How packets travel.", DefaultValueFactory = _ => "grpc" };
        transport.AcceptOnlyFromAmong("grpc");
        var rate = CommandOptions.Value<Bitrate?>("--max-rate", "8kbps", t => ParseRate(t), "Most bits a second on the wire, headers included, 1kbps to 1Mbps; unless given, what the link carries.");
        var mode = new Option<string>("--mode") { HelpName = "auto|it2v|tt2v", Description = "What travels: images, text only, or whichever the link has room for.", DefaultValueFactory = _ => "auto" };
        mode.AcceptOnlyFromAmong("auto", "it2v", "tt2v");
        var size = CommandOptions.Value("--size", "480x270", ParseSize, "Bounding box of the picture; its aspect is kept.");
        size.DefaultValueFactory = _ => new(480, 270);
        var fps = CommandOptions.Value("--fps", "15", t => CommandOptions.ParseFps(t, 60), "Captured frames a second.");
        fps.DefaultValueFactory = _ => FrameRate.PerSecond(15);
        var loop = new Option<bool>("--loop") { Description = "Play a file again and again." };
        var duration = CommandOptions.Value<MediaTime?>("--for", "30s", t => CommandOptions.ParseLimit(t), "Stop after this time.");
        var stats = new Option<string?>("--stats") { HelpName = "FILE.json", Description = "Statistics, replaced every second and at the end." };
        var token = new Option<string?>("--token") { HelpName = "TOKEN", Description = "The receiver's token." };
        var trust = CommandOptions.Value<CertificateFingerprint?>("--trust", "FILE|sha256:HEX", CertificateFingerprint.Parse, "The receiver's certificate, for --to https: where the system does not trust it.");
        var command = new RootCommand("Captures video and sends keyframes, motion and text over a link of a few kbit/s.")
        { source, to, transport, rate, mode, size, fps, loop, duration, stats, token, trust };
        command.SetAction((r, stop) => SenderApp.RunAsync(new(r.GetValue(source)!, r.GetValue(to)!)
        {
            MaxRate = r.GetValue(rate),
            Mode = Enum.Parse<ModeChoice>(r.GetValue(mode)!, ignoreCase: true),
            Size = r.GetValue(size),
            Fps = r.GetValue(fps),
            Loop = r.GetValue(loop),
            For = r.GetValue(duration),
            StatsFile = r.GetValue(stats),
            Token = r.GetValue(token),
            Trust = r.GetValue(trust),
        }, error, stop));
        return command;
    }

    private static Bitrate ParseRate(string text) => Bitrate.Parse(text) is { BitsPerSecond: >= 1000 and <= 1_000_000 } rate
        ? rate
        : throw new FormatException($"{text} is out of range: 1kbps to 1Mbps");

    private static PixelSize ParseSize(string text) => PixelSize.Parse(text) is { Width: >= 64 and <= 1920, Height: >= 64 and <= 1920 } size
        ? size
        : throw new FormatException($"{text} is out of range: each side is 64 to 1920 pixels");
}
