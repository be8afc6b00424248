using CmvcStream.TestKit;
using Xunit;

namespace EndToEnd.Tests.Session;

/// <summary>The real programs over links and through ends that fail: the picture comes back by itself. Bounds on time are loose, for busy machines; docs/link.md has figures.</summary>
public sealed class RecoveryTests : IDisposable
{
    private readonly Programs _programs = new();

    [Fact]
    public async Task Link_IsGoneForTwentySeconds_TheSameStreamGoesOn()
    {
        var video = _programs.PathOf("out.y4m");
        var (receiver, url) = await _programs.ReceiverAsync("--out", "y4m:" + video, "--once");
        var link = await _programs.ThrottleAsync(url, "--rate", "16kbps", "--delay", "100ms", "--outage", "20s@12s");

        var sender = Send(link, "45s");

        Assert.Equal(0, await sender.ExitAsync());
        Assert.Equal(0, await receiver.ExitAsync());
        Assert.DoesNotContain("stream is over", receiver.Errors);
        var shown = Shown(video);
        var held = LongestHeld(shown);
        Assert.InRange(held.Length, 30 * 12, 30 * 34);
        Assert.True(shown.Skip(held.Start + held.Length).Count(IsKeyframe) > 5, "keyframes after the outage");
    }

    [Fact]
    public async Task Path_FallsSilentAndANewOneWorks_TheSameStreamGoesOnThere()
    {
        var video = _programs.PathOf("out.y4m");
        var (receiver, url) = await _programs.ReceiverAsync("--out", "y4m:" + video, "--once");
        await using var relay = new FailingRelay(new Uri(url));
        var sender = Send(relay.Url, "25s");
        await receiver.ErrorLineAsync("shows synthetic:street");
        await Task.Delay(5000);

        relay.FallSilent();

        await sender.ErrorLineAsync("took the place of the silent one");
        await receiver.ErrorLineAsync("is back");
        Assert.Equal(0, await sender.ExitAsync());
        Assert.Equal(0, await receiver.ExitAsync());
        var shown = Shown(video);
        var held = LongestHeld(shown);
        Assert.InRange(held.Length, 30, 30 * 16);
        Assert.Contains(shown.Skip(held.Start + held.Length), IsKeyframe);
    }

    [Fact]
    public async Task Receiver_KilledAndStartedAgain_TheSenderFindsItAndStartsAnew()
    {
        var port = Programs.FreePort();
        var (first, url) = await _programs.ReceiverAtAsync($"http://127.0.0.1:{port}", "--out", "null:");
        var sender = Send(url, "25s");
        await first.ErrorLineAsync("shows synthetic:street");
        await Task.Delay(4000);
        first.Kill();
        await sender.ErrorLineAsync("it is tried again");

        var video = _programs.PathOf("out.y4m");
        var (second, _) = await _programs.ReceiverAtAsync($"http://127.0.0.1:{port}", "--out", "y4m:" + video, "--once");

        await sender.ErrorLineAsync("the receiver is back after");
        Assert.Equal(0, await sender.ExitAsync());
        Assert.Equal(0, await second.ExitAsync());
        var shown = Shown(video);
        Assert.Contains(shown, IsKeyframe);
        // Source time begins with this receiver: nothing is black for as long as the other one lived.
        Assert.InRange(shown.TakeWhile(p => p == "none").Count(), 0, 60);
    }

    [Fact]
    public async Task Sender_KilledAndStartedAgain_TheReceiverShowsItAtOnce()
    {
        var (receiver, url) = await _programs.ReceiverAsync("--out", "y4m:" + _programs.PathOf("out.y4m"));
        var first = Send(url, "60s");
        await receiver.ErrorLineAsync("shows synthetic:street");
        await Task.Delay(4000);
        first.Kill();
        await receiver.ErrorLineAsync("sender lost");

        var second = _programs.Start("cmvc-send", "--source", "synthetic:drone", "--to", url, "--max-rate", "30kbps", "--for", "8s");

        await receiver.ErrorLineAsync("shows synthetic:drone");
        Assert.Equal(0, await second.ExitAsync());
        receiver.Terminate();
        await receiver.ExitAsync();
        Assert.Contains(Shown(_programs.PathOf("out-2.y4m")), IsKeyframe);
    }

    [Fact]
    public async Task Link_OfOneKilobit_TheEndIsDeliveredWithoutAnotherConnection()
    {
        var (receiver, url) = await _programs.ReceiverAsync("--out", "null:", "--once");
        var link = await _programs.ThrottleAsync(url, "--rate", "1kbps", "--delay", "300ms");

        var sender = Send(link, "25s");

        Assert.Equal(0, await sender.ExitAsync());
        Assert.Equal(0, await receiver.ExitAsync());
        Assert.DoesNotContain("fresh connection", sender.Errors);
        Assert.DoesNotContain("did not confirm", sender.Errors);
        Assert.DoesNotContain("lost", receiver.Errors);
    }

    public void Dispose() => _programs.Dispose();

    private static List<string> Shown(string video) => [.. File.ReadAllLines(video + ".frames.tsv").Skip(1).Select(l => l.Split('\t')[3])];

    private static bool IsKeyframe(string provenance) => provenance is "transmitted" or "restored";

    private static (int Start, int Length) LongestHeld(List<string> shown)
    {
        var (best, run) = ((Start: 0, Length: 0), 0);
        for (var i = 0; i < shown.Count; i++)
        {
            run = shown[i] == "held" ? run + 1 : 0;
            if (run > best.Length)
                best = (i - run + 1, run);
        }

        return best;
    }

    private Running Send(string url, string time) => _programs.Start("cmvc-send", "--source", "synthetic:street", "--to", url, "--for", time);
}
