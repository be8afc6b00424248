using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using CmvcStream.TestKit;
using Xunit;

namespace EndToEnd.Tests.Session;

/// <summary>The other end is gone and nobody says so: after 20 s of silence it is asked, and 20 s later it is taken for lost; HttpClient looks every 5 s.</summary>
public sealed class VanishedPeerTests : IDisposable
{
    /// <summary>And 15 s for a machine that does other things as well.</summary>
    private static readonly TimeSpan KeepAlive = TimeSpan.FromSeconds(20 + 5 + 20 + 5 + 15);

    private readonly Programs _programs = new();

    [Fact]
    public async Task Peer_VanishesOrNeverAnswers_IsNoticedAndTheReceiverServesTheNextSender()
    {
        var video = _programs.PathOf("out.y4m");
        var (receiver, url) = await _programs.ReceiverAsync("--out", "y4m:" + video);
        await using var relay = new FailingRelay(new Uri(url));
        // What accepts and never answers; beside it, as the waiting is long.
        using var mute = new TcpListener(IPAddress.Loopback, 0);
        mute.Start();
        var unheard = Send($"http://{mute.LocalEndpoint}");
        var sender = Send(relay.Url);
        await receiver.ErrorLineAsync("shows synthetic:street");
        await Task.Delay(6000);

        relay.FallSilent();

        var silent = Stopwatch.StartNew();
        await Task.WhenAll(LostAsync(), EndsAsync(sender), EndsAsync(unheard));
        // The picture is finished: the next sender's presentation is another one.
        var next = _programs.Start("cmvc-send", "--source", "synthetic:drone", "--to", url, "--max-rate", "30kbps", "--for", "2s");
        Assert.Equal(0, await next.ExitAsync());
        await receiver.ErrorLineAsync("shows synthetic:drone");
        Assert.Contains("\ttransmitted", await File.ReadAllTextAsync(video + ".frames.tsv"));

        async Task LostAsync()
        {
            Assert.Contains("nothing was heard from it for ", await receiver.ErrorLineAsync("sender lost"));
            Assert.InRange(silent.Elapsed, TimeSpan.FromSeconds(15), KeepAlive);
        }

        async Task EndsAsync(Running program)
        {
            Assert.Equal(1, await program.ExitAsync());
            Assert.Contains("is gone: nothing was heard from it for ", program.Errors);
            Assert.InRange(silent.Elapsed, TimeSpan.FromSeconds(15), KeepAlive);
        }
    }

    public void Dispose() => _programs.Dispose();

    private Running Send(string url) => _programs.Start("cmvc-send", "--source", "synthetic:street", "--to", url, "--max-rate", "8kbps");
}
