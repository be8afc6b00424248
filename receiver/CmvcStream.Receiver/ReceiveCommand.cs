using System.CommandLine;
using System.CommandLine.Invocation;
using CmvcStream.CommandLine;
using CmvcStream.Core.Media;
using CmvcStream.Inference;
using CmvcStream.Receiver.Networks;

namespace CmvcStream.Receiver;

/// <summary>The receiver's command line.</summary>
public static class ReceiveCommand
{
    /// <summary>Runs the receiver; the result is its exit code: 0 done, 1 failed at run time, 2 wrong usage.</summary>
    public static async Task<int> RunAsync(string[] args, TextWriter output, TextWriter error)
    {
        var parsed = Build(output, error).Parse(args);
        return parsed.Action is ParseErrorAction
            ? CommandOptions.Refuse("receive", error, parsed.Errors.Select(e => e.Message))
            : await parsed.InvokeAsync(new() { Output = output, Error = error, ProcessTerminationTimeout = TimeSpan.FromSeconds(10) });
    }

    private static RootCommand Build(TextWriter output, TextWriter error)
    {
        var listen = CommandOptions.Value("--listen", "URL", t => CommandOptions.ParseUrl(t, "http://0.0.0.0:50051"), "Where to accept senders, for example http://0.0.0.0:50051.", required: true);
        var transport = new Option<string>("--transport") { HelpName = "grpc", Description = "How packets travel.", DefaultValueFactory = _ => "grpc" };
        transport.AcceptOnlyFromAmong("grpc");
        var view = new Option<string?>("--view") { HelpName = "URL", Description = "Serve the viewer page there, for example http://127.0.0.1:8080." };
        var sinks = new Option<string[]>("--out") { HelpName = "KIND:FILE", Description = "y4m:FILE, mp4:FILE, hash: or null:; may be given more than once." };
        var fps = CommandOptions.Value("--fps", "30", t => CommandOptions.ParseFps(t, 120), "Presented frames a second.");
        fps.DefaultValueFactory = _ => FrameRate.PerSecond(30);
        var latency = new Option<string>("--latency") { HelpName = "smooth|low", Description = "Wait for the next keyframe, or extrapolate.", DefaultValueFactory = _ => "smooth" };
        latency.AcceptOnlyFromAmong("smooth", "low");
        var network = new Option<string>("--network") { HelpName = "auto|none|NAME,NAME", Description = "Networks that regenerate: the largest that this machine runs in time, none, or those of the model pack that are named.", DefaultValueFactory = _ => NetworkOptions.Auto };
        var models = new Option<string?>("--models") { HelpName = "FOLDER", Description = "Use the model pack of this folder in place of the built-in one." };
        var adapter = new Option<string?>("--adapter") { HelpName = "FILE|NAME", Description = "What makes a network fit this camera: a file, or NAME for adapters/NAME.safetensors." };
        var provider = new Option<string>("--provider") { HelpName = "auto|cpu|cuda", Description = "What runs networks.", DefaultValueFactory = _ => "auto" };
        provider.AcceptOnlyFromAmong("auto", "cpu", "cuda");
        var once = new Option<bool>("--once") { Description = "End after the first sender." };
        var stats = new Option<string?>("--stats") { HelpName = "FILE.json", Description = "Statistics, replaced every second and at the end." };
        var duration = CommandOptions.Value<MediaTime?>("--for", "30s", t => CommandOptions.ParseLimit(t), "Stop after this time.");
        var token = new Option<string?>("--token") { HelpName = "TOKEN", Description = "Refuse senders and viewers without this." };
        var certificate = new Option<string?>("--certificate") { HelpName = "FILE", Description = "Certificate for --listen https:, PEM or PFX; without it one is made for this run." };
        var key = new Option<string?>("--key") { HelpName = "FILE", Description = "The certificate's private key, PEM, where it is in a file of its own." };
        var command = new RootCommand("Receives a sender's packets, regenerates the video and shows it.")
        { listen, transport, view, sinks, fps, latency, network, models, adapter, provider, once, stats, duration, token, certificate, key };
        command.SetAction((r, stop) => ReceiverApp.RunAsync(new(r.GetValue(listen)!)
        {
            View = r.GetValue(view),
            Out = r.GetValue(sinks) ?? [],
            Fps = r.GetValue(fps),
            LowLatency = r.GetValue(latency) == "low",
            Networks = new()
            {
                Network = r.GetValue(network)!,
                Models = r.GetValue(models),
                Adapter = r.GetValue(adapter),
                Provider = r.GetValue(provider) switch { "cpu" => ExecutionProvider.Cpu, "cuda" => ExecutionProvider.Cuda, _ => null },
            },
            Once = r.GetValue(once),
            StatsFile = r.GetValue(stats),
            For = r.GetValue(duration),
            Token = r.GetValue(token),
            Certificate = r.GetValue(certificate),
            Key = r.GetValue(key),
        }, output, error, stop));
        return command;
    }
}
