using System.Globalization;
using CmvcStream.Evaluate.Media;

namespace CmvcStream.Evaluate.Live;

/// <summary>A codec as ffmpeg's encoder has it, tuned for live.</summary>
internal sealed record LiveCodec(string Name, string Encoder, string[] Arguments)
{
    /// <summary>
    /// No look-ahead, and presets that two busy cores keep up with at these sizes. The text in which the encoders tell their options (SEI, 700 bytes,
    /// most of a second of a slow link) is taken out.
    /// </summary>
    public static LiveCodec X264 { get; } = new("x264", "libx264", ["-preset", "slower", "-tune", "zerolatency", "-threads", "1", "-bsf:v", "filter_units=remove_types=6"]);

    public static LiveCodec X265 { get; } = new("x265", "libx265", ["-preset", "medium", "-tune", "zerolatency", "-x265-params", "info=0:log-level=warning", "-bsf:v", "filter_units=remove_types=39"]);
}

/// <summary>ffmpeg to ffmpeg, in an MPEG transport stream over TCP or UDP.</summary>
/// <param name="codec">What encodes.</param>
/// <param name="udp">Over UDP instead of TCP.</param>
/// <param name="settings">Null: the best that is known for the rate.</param>
internal sealed class FfmpegPeer(LiveCodec codec, bool udp, FfmpegSettings? settings = null) : ILivePeer
{
    private static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(20);

    public string Name => $"ffmpeg {codec.Name}, TS over {(udp ? "UDP" : "TCP")}";

    public async Task<LiveRun> RunAsync(LiveScene scene, CancellationToken stop)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var clip = await LiveClip.MakeAsync(scene, stop);
        limit.CancelAfter(TimeSpan.FromSeconds(scene.Seconds + scene.DrainSeconds) + (3 * StartPatience));
        var chosen = settings ?? FfmpegSettings.For(scene.Rate, scene.Fps, udp);
        var raw = scene.PathOf("shown.yuv");
        var port = FfmpegReceiver.FreePort(udp);
        string[] linkArguments = [.. scene.ThrottleArguments, .. udp ? ["--udp"] : Array.Empty<string>()];
        try
        {
            await using var link = await ThrottledLink.StartAsync("127.0.0.1", $"127.0.0.1:{port}", linkArguments, limit.Token);
            await using var receiver = await FfmpegReceiver.StartAsync(udp, port, scene.Size, raw, StartPatience, limit.Token);
            var seen = new ShowinfoLines();
            string[] send = ["-hide_banner", "-nostats", "-threads", "1", "-re", "-i", "file:" + clip, .. EncoderArguments(scene, chosen), SendUrl(link.Endpoint)];
            await using var sender = ChildProcess.Start("ffmpeg", send, seen.Take);
            var (wire, said) = await StreamAsync(scene, link, receiver, sender, seen, limit.Token);
            sender.Kill();
            await sender.WaitForExitAsync(limit.Token);
            await receiver.EndAsync();
            await File.WriteAllTextAsync(scene.PathOf("sender.log"), sender.LastWords(), stop);
            await File.WriteAllTextAsync(scene.PathOf("receiver.log"), receiver.LastWords(), stop);
            var pictures = receiver.Pictures(seen.Began);
            var shown = scene.PathOf("shown.y4m");
            await ShownVideo.WriteAsync(shown, scene, pictures, raw, stop);
            var (up, down) = wire.Kbps(scene.Seconds);
            return new(Name, Describe(scene, chosen), Commands(scene, chosen, linkArguments), pictures, shown, up, down,
                pictures.Count > 0 ? null : said ?? $"the receiver showed nothing within {scene.Seconds + scene.DrainSeconds} s: {receiver.LastWords()}");
        }
        catch (OperationCanceledException e) when (!stop.IsCancellationRequested)
        {
            throw new EvaluateException($"{Name} did not end in time; its logs are in {scene.Folder}", e);
        }
        finally
        {
            File.Delete(raw);
        }
    }

    /// <summary>Until all that was sent has been shown, or the time is over.</summary>
    private static async Task<(WireBytes Wire, string? Said)> StreamAsync(LiveScene scene, ThrottledLink link, FfmpegReceiver receiver, ChildProcess sender, ShowinfoLines seen, CancellationToken stop)
    {
        var ended = sender.WaitForExitAsync(stop);
        if (await Task.WhenAny(seen.First, ended, Task.Delay(StartPatience, stop)) != seen.First)
            return (default, $"the sender did not start: {sender.LastWords()}");
        await Task.Delay(TimeSpan.FromSeconds(Math.Max(0, seen.Began + scene.Seconds - UnixTime.Now)), stop);
        var wire = await link.ReadAsync(stop);
        var end = seen.Began + scene.Seconds + scene.DrainSeconds;
        while (UnixTime.Now < end && !receiver.HasEnded && !(ended.IsCompleted && receiver.Count >= seen.Count))
            await Task.Delay(100, stop);
        return (wire, ended is { IsCompletedSuccessfully: true, Result: not 0 } ? $"the sender ended with {ended.Result}: {sender.LastWords()}" : null);
    }

    private string[] EncoderArguments(LiveScene scene, FfmpegSettings chosen)
    {
        var size = chosen.Size(scene.Size);
        var rate = string.Create(CultureInfo.InvariantCulture, $"{chosen.Kbps * 1000:0}");
        // A lost packet spoils all pictures until the next keyframe, and who has no tables sees nothing: on a link that loses, both return.
        var repeats = udp && scene.IsLossy;
        return ["-vf", $"framestep={chosen.Step},scale={size.Width}:{size.Height}:flags=area,showinfo=checksum=0", "-an", "-pix_fmt", "yuv420p",
            "-c:v", codec.Encoder, .. codec.Arguments, "-g", repeats ? Text(5 * scene.Fps / chosen.Step) : "100000", "-sc_threshold", "0",
            "-b:v", rate, "-maxrate", rate, "-bufsize", rate,
            "-f", "mpegts", "-muxdelay", "0", "-muxpreload", "0", "-omit_video_pes_length", "0",
            "-pat_period", repeats ? "5" : "100000", "-sdt_period", "100000", "-pcr_period", "100000"];
    }

    private string SendUrl(string endpoint) => udp ? $"udp://{endpoint}?pkt_size=1316" : $"tcp://{endpoint}?tcp_nodelay=1";

    private string Describe(LiveScene scene, FfmpegSettings chosen) => string.Create(CultureInfo.InvariantCulture,
        $"{codec.Name}, {chosen.Size(scene.Size)} at {(double)scene.Fps / chosen.Step:0.##} frames/s, {chosen.Kbps} kbit/s of video");

    private string[] Commands(LiveScene scene, FfmpegSettings chosen, string[] linkArguments) => [
        LiveClip.Command(scene),
        "ffmpeg " + string.Join(' ', FfmpegReceiver.Arguments(udp, 6000, scene.Size)) + " > shown.yuv",
        $"./cmvc throttle --listen 127.0.0.1:6001 --to 127.0.0.1:6000 {string.Join(' ', linkArguments)}",
        $"ffmpeg -threads 1 -re -i captured.mp4 {string.Join(' ', EncoderArguments(scene, chosen))} '{SendUrl("127.0.0.1:6001")}'"];

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
