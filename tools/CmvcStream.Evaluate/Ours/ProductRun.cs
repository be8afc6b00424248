using System.Globalization;
using CmvcStream.Core.Diagnostics;
using CmvcStream.Core.Media;
using CmvcStream.Evaluate.Compare;
using CmvcStream.Evaluate.Live;
using CmvcStream.Evaluate.Media;

namespace CmvcStream.Evaluate.Ours;

/// <summary>How ours is run.</summary>
/// <param name="Fps">Captured frames a second.</param>
/// <param name="Box">--size of the sender.</param>
/// <param name="Mode">--mode of the sender.</param>
/// <param name="Link">What throttle is told beside the rate.</param>
/// <param name="Network">--network of the receiver.</param>
internal sealed record ProductSettings(int Fps, PixelSize Box, string Mode, string[] Link, string Network = "auto");

/// <summary>Our receiver, throttle and sender as the real programs, in real time, from the first byte to the last picture.</summary>
internal static class ProductRun
{
    /// <summary>Presented frames a second, as receivers have it by default.</summary>
    public const int ShownFps = 30;

    private static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(30);

    /// <summary>Streams a sequence at a rate.</summary>
    /// <param name="sequence">What is sent.</param>
    /// <param name="seconds">Its length.</param>
    /// <param name="kbps">Rate of the link and --max-rate of the sender, kbit/s on the wire.</param>
    /// <param name="settings">How.</param>
    /// <param name="folder">Takes what was shown (shown.y4m), its table of frames, and statistics.</param>
    /// <param name="stop">Ends it.</param>
    /// <exception cref="EvaluateException">A program fails or does not end in time; its last words are in the message.</exception>
    public static async Task<ProductResult> StreamAsync(Sequence sequence, int seconds, double kbps, ProductSettings settings, string folder, CancellationToken stop)
    {
        Directory.CreateDirectory(folder);
        var rate = string.Create(CultureInfo.InvariantCulture, $"{kbps}kbps");
        string PathOf(string name) => Path.Combine(folder, name);
        string[] receive = ["--out", "y4m:" + PathOf("shown.y4m"), "--fps", Text(ShownFps), "--once", "--network", settings.Network, "--stats", PathOf("receive.json")];
        string[] throttle = ["--rate", rate, .. settings.Link];
        string[] send = ["--source", "file:" + sequence.File, "--max-rate", rate, "--mode", settings.Mode, "--size", settings.Box.ToString(),
            "--fps", Text(settings.Fps), "--stats", PathOf("send.json")];
        await using var receiver = Start("cmvc-receive", ["--listen", "http://127.0.0.1:0", .. receive]);
        var listen = new Uri(await ListenAsync(receiver, stop));
        await using var link = await ThrottledLink.StartAsync("127.0.0.1", listen.Authority, throttle, stop);
        await using var sender = Start("cmvc-send", ["--to", "http://" + link.Endpoint, .. send]);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(stop);
        patience.CancelAfter(TimeSpan.FromSeconds((seconds * 3) + 60));
        try
        {
            await sender.SucceedAsync("cmvc-send", patience.Token);
            await receiver.SucceedAsync("cmvc-receive", patience.Token);
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            throw new EvaluateException($"{sequence.Name} at {rate}: sender and receiver did not end in time; "
                + $"the sender said: {sender.LastWords()}; the receiver: {receiver.LastWords()}");
        }

        return Read(folder, seconds, kbps, [
            $"./cmvc receive --listen http://127.0.0.1:50051 {Line(receive, folder)}",
            $"./cmvc throttle --listen 127.0.0.1:50050 --to 127.0.0.1:50051 {Line(throttle, folder)}",
            $"./cmvc send --to http://127.0.0.1:50050 {Line(send, folder).Replace(sequence.File, Path.GetFileName(sequence.File), StringComparison.Ordinal)}"]);
    }

    private static ProductResult Read(string folder, int seconds, double kbps, string[] commands)
    {
        var (sent, received) = (Statistics.Read(Path.Combine(folder, "send.json")), Statistics.Read(Path.Combine(folder, "receive.json")));
        var frames = ShownFrame.Read(Path.Combine(folder, "shown.y4m.frames.tsv"));
        var fresh = frames.Where(f => f.IsFresh).ToArray();
        if (fresh.Length == 0)
            throw new EvaluateException($"the receiver never showed a picture at {kbps} kbit/s; its statistics are in {folder}");
        var (connected, payload) = (sent.Seconds - (sent.StartMs.Connect.GetValueOrDefault() / 1000), sent.Payload.Tx!);
        var sinceFirst = frames.SkipWhile(f => f.Provenance == "none").ToArray();
        var freezes = LiveMeasures.FreezesOf([.. fresh.Select(f => new LivePicture(f.SourceSeconds, f.Wall))], frames[^1].Wall)!.Value;
        double Share(int count) => Math.Round(count / (double)sinceFirst.Length, 4);
        var begin = received.StartMs.Connect;
        double? Since(double? ms) => ms is { } at && begin is { } from ? Math.Round((at - from) / 1000, 2) : null;
        return new(new()
        {
            RateKbps = kbps,
            WireKbps = Math.Round(sent.Wire.Tx!.Bytes * 8 / 1000.0 / seconds, 3),
            ConnectedSeconds = Math.Round(connected, 2),
            PayloadKbps = Math.Round((payload.Keyframe + payload.Motion + payload.Text + payload.Control) * 8 / 1000.0 / seconds, 3),
            Scores = new(0, 0, 0, null, null, null),
            Start = new(Since(received.StartMs.Text), Since(received.StartMs.Picture), Since(received.StartMs.Full)),
            Shown = new(Share(sinceFirst.Count(f => f.IsFresh)), freezes.Count, Math.Round(freezes.LongestSeconds, 2),
                sinceFirst.CountBy(f => f.Provenance).OrderBy(p => p.Key, StringComparer.Ordinal).ToDictionary(p => p.Key, p => Share(p.Value))),
            LatencyP50 = received.LatencyMs is { } l ? Math.Round(l.P50 / 1000, 2) : null,
            LatencyP95 = received.LatencyMs is { } m ? Math.Round(m.P95 / 1000, 2) : null,
            KeyframesPerSecond = Math.Round(sent.Frames.Coded.GetValueOrDefault() / (double)seconds, 2),
            TextOnlySeconds = Math.Round(sent.Modes.Tt2vS, 1),
            Commands = commands,
        }, Path.Combine(folder, "shown.y4m"), frames);
    }

    private static ChildProcess Start(string name, string[] arguments)
    {
        var program = Path.Combine(AppContext.BaseDirectory, name);
        return File.Exists(program) ? ChildProcess.Start(program, arguments) : throw new EvaluateException($"{program} is missing; './cmvc setup' builds it");
    }

    /// <summary>Where the receiver says that it listens.</summary>
    private static async Task<string> ListenAsync(ChildProcess receiver, CancellationToken stop)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(stop);
        patience.CancelAfter(StartPatience);
        string? line = null;
        try
        {
            line = await receiver.OutputText.ReadLineAsync(patience.Token);
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested) { }

        const string Word = "listen=";
        return line?.Split(' ').FirstOrDefault(w => w.StartsWith(Word, StringComparison.Ordinal))?[Word.Length..]
            ?? throw new EvaluateException($"cmvc-receive did not start: {receiver.LastWords()}");
    }

    private static string Line(string[] arguments, string folder) => string.Join(' ', arguments).Replace(folder + "/", "", StringComparison.Ordinal);

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}

/// <summary>What a run gave, not scored yet.</summary>
/// <param name="Result">All but scores.</param>
/// <param name="ShownFile">y4m of what was shown.</param>
/// <param name="Frames">All presented frames.</param>
internal sealed record ProductResult(OurResult Result, string ShownFile, IReadOnlyList<ShownFrame> Frames);

/// <summary>A presented frame, as the receiver's table has it.</summary>
/// <param name="Wall">Unix time in seconds.</param>
/// <param name="SourceSeconds">The source time that it depicts.</param>
/// <param name="Provenance">What it is.</param>
internal sealed record ShownFrame(double Wall, double SourceSeconds, string Provenance)
{
    public bool IsFresh => Provenance is not ("held" or "none");

    public static ShownFrame[] Read(string table) => [.. File.ReadLines(table).Skip(1).Select(line => line.Split('\t'))
        .Select(row => new ShownFrame(Seconds(row[1]), Seconds(row[2]), row[3]))];

    private static double Seconds(string microseconds) => long.Parse(microseconds, CultureInfo.InvariantCulture) / 1e6;
}
