using System.Text.Json;
using Xunit;

namespace EndToEnd.Tests.Session;

/// <summary>How soon something is there, with the real programs. Bounds are three times what it should take, for busy machines; docs/link.md has figures.</summary>
public sealed class FirstLightTests : IDisposable
{
    private readonly Programs _programs = new();

    [Fact]
    public async Task Link_OfEightKilobit_TextAndThenAPictureAreThereSecondsAfterConnecting()
    {
        string sent = _programs.PathOf("tx.json"), received = _programs.PathOf("rx.json");
        var (receiver, url) = await _programs.ReceiverAsync("--out", "null:", "--once", "--stats", received);
        var link = await _programs.ThrottleAsync(url, "--rate", "8kbps", "--delay", "300ms");

        var sender = _programs.Start("cmvc-send", "--source", "synthetic:street", "--to", link, "--for", "20s", "--stats", sent);

        Assert.Equal(0, await sender.ExitAsync());
        Assert.Equal(0, await receiver.ExitAsync());
        var connected = When(sent, "connect");
        Assert.InRange((When(received, "text") - connected).TotalSeconds, 0.5, 9);
        Assert.InRange((When(received, "picture") - connected).TotalSeconds, 0.5, 20);
    }

    public void Dispose() => _programs.Dispose();

    /// <summary>By the machine's clock: the file was written so long after the program's start as it says.</summary>
    private static DateTime When(string statistics, string what)
    {
        using var json = JsonDocument.Parse(File.ReadAllText(statistics));
        var seconds = json.RootElement.GetProperty("seconds").GetDouble();
        return File.GetLastWriteTimeUtc(statistics).AddSeconds(-seconds).AddMilliseconds(json.RootElement.GetProperty("start_ms").GetProperty(what).GetDouble());
    }
}
