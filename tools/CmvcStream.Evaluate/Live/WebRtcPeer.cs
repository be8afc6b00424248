using System.Globalization;
using System.Text.Json;
using CmvcStream.Core.Media;
using CmvcStream.Evaluate.Media;
using Microsoft.Playwright;

namespace CmvcStream.Evaluate.Live;

/// <summary>
/// Video between two pages of Chromium. Offer and answer go from page to page at once and free of charge; everything else (ICE, DTLS, media and
/// its feedback) crosses the link, as the sender knows the receiver by the link's address only, and the receiver learns the sender's from what arrives.
/// </summary>
/// <param name="settings">Null: the best that is known for the rate.</param>
internal sealed class WebRtcPeer(WebRtcSettings? settings = null) : ILivePeer
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    public string Name => "WebRTC in Chromium";

    public async Task<LiveRun> RunAsync(LiveScene scene, CancellationToken stop)
    {
        var chosen = settings ?? WebRtcSettings.For(scene.Rate);
        if (await BrowserProgram.FindAsync(stop) is not { } program)
            return new(Name, chosen.ToString(), [], [], null, 0, 0, BrowserProgram.WhyAbsent);
        var clip = await LiveClip.MakeAsync(scene, stop);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
        limit.CancelAfter(TimeSpan.FromSeconds(scene.Seconds + scene.DrainSeconds) + Patience);
        string[] linkArguments = [.. scene.ThrottleArguments, "--udp"];
        string[] commands = [LiveClip.Command(scene), $"./cmvc throttle --listen HOST:0 --to HOST:(the receiving page's port) {string.Join(' ', linkArguments)}",
            $"chromium, two pages: {chosen}; header extensions other than abs-send-time and transport-cc feedback removed from offer and answer"];
        try
        {
            await using var pages = await LivePages.OpenAsync(program, clip, limit.Token);
            var offer = await pages.Sender.EvaluateAsync<string>("o => prepare(o)", new { codec = chosen.Codec, kbps = chosen.Kbps, divisor = chosen.Divisor, step = chosen.Step, fps = scene.Fps });
            var answer = await pages.Receiver.EvaluateAsync<string>("s => answer(s)", SessionDescription.WithoutCandidates(SessionDescription.Slim(offer)));
            if (SessionDescription.HostCandidate(answer) is not { } target)
                return new(Name, chosen.ToString(), commands, [], null, 0, 0, "the receiving page has no address over IPv4 and UDP");
            await using var link = await ThrottledLink.StartAsync(target.Host, string.Create(CultureInfo.InvariantCulture, $"{target.Host}:{target.Port}"), linkArguments, limit.Token);
            var changed = SessionDescription.WithRates(SessionDescription.WithoutCandidates(SessionDescription.Slim(answer)), chosen.StartKbps, 1);
            var run = await StreamAsync(scene, pages, link, SessionDescription.With(changed, target.Through(link.Endpoint)), limit.Token);
            return run with { Settings = chosen.ToString(), Commands = commands };
        }
        catch (Exception e) when (e is PlaywrightException or TimeoutException || (e is OperationCanceledException && !stop.IsCancellationRequested))
        {
            return new(Name, chosen.ToString(), commands, [], null, 0, 0, $"the browser failed: {e.Message}");
        }
    }

    private async Task<LiveRun> StreamAsync(LiveScene scene, LivePages pages, ThrottledLink link, string answer, CancellationToken stop)
    {
        var started = UnixTime.Now;
        await pages.Sender.EvaluateAsync<object?>("s => start(s)", answer);
        await Task.Delay(TimeSpan.FromSeconds(Math.Max(0, started + scene.Seconds - UnixTime.Now)), stop);
        var (up, down) = (await link.ReadAsync(stop)).Kbps(scene.Seconds);
        await DrainAsync(pages, started + scene.Seconds + scene.DrainSeconds, stop);
        var (sentJson, shownJson) = (await pages.Sender.EvaluateAsync<string>("() => report()"), await pages.Receiver.EvaluateAsync<string>("() => report()"));
        await File.WriteAllTextAsync(scene.PathOf("sender.json"), sentJson, stop);
        await File.WriteAllTextAsync(scene.PathOf("receiver.json"), shownJson, stop);
        var (sent, received) = (PageReport.Read(sentJson), PageReport.Read(shownJson));
        var pictures = Pictures(sent, received);
        var (raw, shown) = (scene.PathOf("shown.yuv"), scene.PathOf("shown.y4m"));
        try
        {
            if (pictures.Length > 0)
                await FetchAsync(pages.Receiver, received.Shown, scene, raw, stop);
            await ShownVideo.WriteAsync(shown, scene, pictures, raw, stop);
        }
        finally
        {
            File.Delete(raw);
        }

        return new(Name, "", [], pictures, shown, up, down, pictures.Length > 0 ? null : Why(sent, received, started, pages.Complaints));
    }

    /// <summary>Waits for what is still under way, at most until a time.</summary>
    private static async Task DrainAsync(LivePages pages, double end, CancellationToken stop)
    {
        while (UnixTime.Now < end)
        {
            var newest = await pages.Sender.EvaluateAsync<double?>("() => sent.length ? sent[sent.length - 1][0] : null");
            if (newest is not null && newest == await pages.Receiver.EvaluateAsync<double?>("() => shown.length ? shown[shown.length - 1][0] : null"))
                return;
            await Task.Delay(500, stop);
        }
    }

    private static LivePicture[] Pictures(PageReport sent, PageReport received)
    {
        var captured = sent.Captured.Select(c => (Source: c[0], Wall: c[1])).ToArray();
        if (captured.Length == 0 || sent.Sent.Length == 0)
            return [];
        var began = captured.Min(c => c.Wall - c.Source);
        var clock = new RtpClock(captured, [.. sent.Sent.Select(s => ((uint)s[0], s[1]))]);
        return [.. received.Shown.Select(s => new LivePicture(clock.SourceTime(s[0].GetUInt32()) ?? 0, s[1].GetDouble() - began))];
    }

    /// <summary>Gets the pixels and brings them to the captured size, as a viewer's window would.</summary>
    private static async Task FetchAsync(LivePage page, JsonElement[][] shown, LiveScene scene, string raw, CancellationToken stop)
    {
        var part = scene.PathOf("part.yuv");
        await using var output = File.Create(raw);
        try
        {
            // A browser changes the size in mid-stream when it likes.
            for (var (n, next) = (0, 0); n < shown.Length; n = next)
            {
                var kind = Kind(shown[n]);
                await using (var file = File.Create(part))
                {
                    for (next = n; next < shown.Length && Kind(shown[next]) == kind; next++)
                        await file.WriteAsync(Convert.FromBase64String(await page.EvaluateAsync<string>("n => picture(n)", next)), stop);
                }

                await using var ffmpeg = ChildProcess.Start("ffmpeg", ["-v", "error", "-f", "rawvideo", "-pix_fmt", kind.Format, "-s", kind.Size.ToString(), "-i", "file:" + part,
                    "-vf", $"scale={scene.Size.Width}:{scene.Size.Height}:flags=bicubic", "-pix_fmt", "yuv420p", "-f", "rawvideo", "pipe:1"]);
                await ffmpeg.Output.CopyToAsync(output, stop);
                await ffmpeg.SucceedAsync("ffmpeg", stop);
            }
        }
        finally
        {
            File.Delete(part);
        }

        static (string Format, PixelSize Size) Kind(JsonElement[] picture) =>
            (picture[4].GetString() switch { "I420" => "yuv420p", "NV12" => "nv12", _ => "rgba" }, new(picture[2].GetInt32(), picture[3].GetInt32()));
    }

    /// <summary>Why nothing was shown, by how far it got.</summary>
    private static string Why(PageReport sent, PageReport received, double started, IReadOnlyCollection<string> complaints)
    {
        string Story(PageReport page) => string.Join(", ", page.States.Select(s => string.Create(CultureInfo.InvariantCulture, $"{s[1].GetString()} at {s[0].GetDouble() - started:0.0} s")));
        var connected = sent.States.Any(s => s[1].GetString() == "connection connected");
        var ice = sent.States.Any(s => s[1].GetString() == "ICE connected");
        var stage = connected ? $"connected, but none of {sent.Sent.Length} frames that were sent could be shown" : ice ? "the DTLS handshake did not end" : "ICE found no way";
        return $"{stage} (sender: {Story(sent)}; receiver: {Story(received)}){(complaints.Count > 0 ? "; the pages said: " + string.Join("; ", complaints.Take(5)) : "")}";
    }
}
