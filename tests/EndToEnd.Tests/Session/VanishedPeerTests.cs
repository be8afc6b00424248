using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using CmvcStream.TestKit;
using Xunit;

namespace EndToEnd.Tests.Session;

/// <summary>The other end is gone and nobody says so. One that never answered is asked after 20 s of silence, and 20 s later taken for lost; HttpClient looks every 5 s.</summary>
public sealed class VanishedPeerTests : IDisposable
{
    /// <summary>And 15 s for a machine that does other things as well.</summary>
    private static readonly TimeSpan KeepAlive = TimeSpan.FromSeconds(20 + 5 + 20 + 5 + 15);

    private readonly Programs _programs = new();

    [Fact]
    public async Task Receiver_NeverAnswers_TheSenderSaysSoAndEnds()
    {
        // What accepts and never answers.
        using var mute = new TcpListener(IPAddress.Loopback, 0);
        mute.Start();
        var silent = Stopwatch.StartNew();

        var sender = Send($"http://{mute.LocalEndpoint}");

        Assert.Equal(1, await sender.ExitAsync());
        Assert.Contains("is gone: nothing was heard from it for ", sender.Errors);
        Assert.InRange(silent.Elapsed, TimeSpan.FromSeconds(15), KeepAlive);
    }

    [Fact]
    public async Task Sender_VanishesWithoutAWord_AnotherOneIsServedSoon()
    {
        var video = _programs.PathOf("out.y4m");
        var (receiver, url) = await _programs.ReceiverAsync("--out", "y4m:" + video);
        await using var relay = new FailingRelay(new Uri(url));
        var sender = Send(relay.Url);
        await receiver.ErrorLineAsync("shows synthetic:street");
        await Task.Delay(4000);
        relay.FallSilent();
        sender.Kill();
        var silent = Stopwatch.StartNew();

        // Refused while the other may still be there; it does not know that it is not.
        Running next;
        do
            next = _programs.Start("cmvc-send", "--source", "synthetic:drone", "--to", url, "--max-rate", "30kbps", "--for", "3s");
        while (await next.ExitAsync() != 0 && silent.Elapsed < KeepAlive);

        Assert.InRange(silent.Elapsed, TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(40));
        await receiver.ErrorLineAsync("shows synthetic:drone");
        Assert.Matches("\t(transmitted|restored)", await File.ReadAllTextAsync(video + ".frames.tsv"));
    }

    public void Dispose() => _programs.Dispose();

    private Running Send(string url) => _programs.Start("cmvc-send", "--source", "synthetic:street", "--to", url, "--max-rate", "8kbps");
}
