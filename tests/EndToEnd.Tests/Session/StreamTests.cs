using System.Text.Json;
using Xunit;

namespace EndToEnd.Tests.Session;

public sealed class StreamTests : IDisposable
{
    private readonly Programs _programs = new();

    [Fact]
    public async Task Send_SyntheticSceneOverASlowLink_IsPresentedWholeWithinTheRate()
    {
        string video = _programs.PathOf("out.y4m"), sent = _programs.PathOf("tx.json"), received = _programs.PathOf("rx.json");
        var (receiver, url) = await _programs.ReceiverAsync("--out", "y4m:" + video, "--once", "--stats", received, "--network", "restore-medium");
        var link = await _programs.ThrottleAsync(url, "--rate", "8kbps", "--delay", "100ms");

        var sender = _programs.Start("cmvc-send", "--source", "synthetic:street", "--to", link, "--max-rate", "7.6kbps", "--for", "14s", "--stats", sent);

        Assert.Equal(0, await sender.ExitAsync());
        Assert.Equal(0, await receiver.ExitAsync());
        using var rx = JsonDocument.Parse(await File.ReadAllTextAsync(received));
        Assert.InRange(await SentBytes.RateAsync(sent), 500, 7600 * 1.01); // real timers add up to 1 %
        var rows = (await File.ReadAllLinesAsync(video + ".frames.tsv"))[1..];
        Assert.Equal(rows.Length, rx.RootElement.GetProperty("frames").GetProperty("presented").GetInt64());
        Assert.True(rows.Length > 30 * 8, $"{rows.Length} frames presented");
        Assert.Equal(Enumerable.Range(0, rows.Length), rows.Select(r => int.Parse(r.Split('\t')[0], System.Globalization.CultureInfo.InvariantCulture)));
        var provenances = rows.Select(r => r.Split('\t')[3]).ToHashSet();
        Assert.Contains("restored", provenances);
        Assert.DoesNotContain("transmitted", provenances);
        Assert.Contains("interpolated", provenances);
        const int frameBytes = 480 * 270 + 2 * 240 * 135 + 6;
        Assert.Equal(rows.Length, (new FileInfo(video).Length - 60) / frameBytes);
    }

    [Fact]
    public async Task Receive_SenderKilled_ServesTheNextOne()
    {
        var (receiver, url) = await _programs.ReceiverAsync("--out", "null:");
        var first = _programs.Start("cmvc-send", "--source", "synthetic:street", "--to", url, "--max-rate", "30kbps");
        await receiver.ErrorLineAsync("shows synthetic:street");
        first.Kill();
        await receiver.ErrorLineAsync("sender lost");

        var second = _programs.Start("cmvc-send", "--source", "synthetic:drone", "--to", url, "--max-rate", "30kbps", "--for", "3s");

        Assert.Equal(0, await second.ExitAsync());
        await receiver.ErrorLineAsync("shows synthetic:drone");
    }

    [Fact]
    public async Task Send_WhileAnotherIsReceived_IsRefusedWithTheReason()
    {
        var (receiver, url) = await _programs.ReceiverAsync("--out", "null:");
        _programs.Start("cmvc-send", "--source", "synthetic:street", "--to", url, "--max-rate", "30kbps");
        await receiver.ErrorLineAsync("shows synthetic:street");

        var second = _programs.Start("cmvc-send", "--source", "synthetic:drone", "--to", url, "--max-rate", "30kbps");

        Assert.Equal(1, await second.ExitAsync());
        Assert.Contains("one at a time", second.Errors);
    }

    [Fact]
    public async Task Receive_Terminated_WritesItsStatisticsAndExitsCleanly()
    {
        var stats = _programs.PathOf("rx.json");
        var (receiver, _) = await _programs.ReceiverAsync("--stats", stats);

        receiver.Terminate();

        Assert.Equal(0, await receiver.ExitAsync());
        Assert.Contains("\"exit\": \"stopped\"", await File.ReadAllTextAsync(stats));
    }

    public void Dispose() => _programs.Dispose();
}
