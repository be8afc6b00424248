using System.Diagnostics;
using CmvcStream.Core.Control;
using CmvcStream.Core.Media;
using Xunit;

namespace CmvcStream.Throttle.Tests;

/// <summary>Loss, outages and changes of the link, as TCP connections see them.</summary>
public sealed class ThrottleRelayFaultTests
{
    [Theory]
    [InlineData(0.1, null)]
    [InlineData(0.1, 3.0)]
    public async Task Transfer_Loss_BytesComeOutAsTheyWentAndConnectionsEnd(double loss, double? burst)
    {
        var link = new LinkSettings
        {
            Rate = new(2_000_000),
            Delay = MediaTime.FromMilliseconds(5),
            Jitter = MediaTime.FromMilliseconds(2),
            Loss = loss,
            LossBurst = burst,
            Duplicate = 0.05,
            Reorder = 0.05,
            Seed = 5,
            Queue = new(20_000),
        };
        await using var fixture = await RelayFixture.StartAsync(link);
        var (client, server) = await fixture.ConnectBothAsync();
        using (client)
        using (server)
        {
            byte[] up = new byte[60_000], down = new byte[40_000];
            new Random(1).NextBytes(up);
            new Random(2).NextBytes(down);
            var got = await RelayFixture.ExchangeAsync(client, server, up, down);
            Assert.Equal(up, got[0]);
            Assert.Equal(down, got[1]);
        }

        var s = await fixture.UntilAsync(s => s.Connections.Open == 0 && s.Up.QueueBytes + s.Down.QueueBytes == 0);
        Assert.True(s.Up.Lost > 0 && s.Up.Retransmitted > 0 && s.Up.Retransmitted <= s.Up.Lost, s.ToJson()); // acknowledgements are not sent again
        Assert.Equal((60_000, 40_000), (s.Up.PayloadBytes, s.Down.PayloadBytes));
    }

    [Fact] // 100 ms there, lost; the SYN's timer has 1 s; then there, back, and the data
    public async Task Connect_SynLost_TakesASecondMore()
    {
        await RelayFixture.TakesAsync(1.3, 1.5, async () =>
        {
            await using var fixture = await RelayFixture.StartAsync(new() { Delay = MediaTime.FromMilliseconds(100), Loss = 1 });
            var watch = Stopwatch.StartNew();
            using var client = await fixture.ConnectAsync();
            await client.SendAsync(new byte[10]);
            await fixture.UntilAsync(s => s.Up.Lost == 1);
            fixture.Relay.Change(link => link with { Loss = 0 });
            using var server = await fixture.Target.AcceptAsync();
            return (await RelayFixture.ReceiveAsync(server, 10, watch)).First.TotalSeconds;
        });
    }

    [Fact]
    public async Task Loss_OneConnection_DoesNotHoldUpAnother()
    {
        await using var fixture = await RelayFixture.StartAsync(new() { Delay = MediaTime.FromMilliseconds(400) });
        var (one, oneServer) = await fixture.ConnectBothAsync();
        var (two, twoServer) = await fixture.ConnectBothAsync();
        using (one)
        using (oneServer)
        using (two)
        using (twoServer)
        {
            await fixture.UntilAsync(s => s.Up.Packets == 4);
            fixture.Relay.Change(link => link with { Loss = 1 });
            await one.SendAsync(new byte[10]);
            await fixture.UntilAsync(s => s.Up.Lost == 1);
            fixture.Relay.Change(link => link with { Loss = 0 });
            var watch = Stopwatch.StartNew();
            await two.SendAsync(new byte[10]);
            var second = await RelayFixture.ReceiveAsync(twoServer, 10, watch);
            var first = await RelayFixture.ReceiveAsync(oneServer, 10, watch);
            Assert.True(first.First - second.First > TimeSpan.FromSeconds(0.5), $"{first.First} and {second.First}"); // a timer of 1.6 s or more
        }
    }

    [Fact]
    public async Task Outage_StartedAndEnded_NothingPassesMeanwhile()
    {
        await using var fixture = await RelayFixture.StartAsync(new() { Delay = MediaTime.FromMilliseconds(10) });
        var (client, server) = await fixture.ConnectBothAsync();
        using (client)
        using (server)
        {
            await fixture.UntilAsync(s => s.Up.Packets == 2);
            fixture.Relay.StartOutage(null);
            Assert.True(fixture.Relay.Snapshot().Link.Outage);
            await client.SendAsync(new byte[100]);
            var watch = Stopwatch.StartNew();
            var receiving = RelayFixture.ReceiveAsync(server, 100, watch);
            await Task.Delay(300);
            Assert.False(receiving.IsCompleted);
            Assert.Equal(152, fixture.Relay.Snapshot().Up.QueueBytes);
            fixture.Relay.EndOutage();
            Assert.True((await receiving).Last > TimeSpan.FromSeconds(0.3));
            Assert.False(fixture.Relay.Snapshot().Link.Outage);
        }
    }

    [Fact]
    public async Task Outage_AskedForAtAStart_IsThere() => await RelayFixture.TakesAsync(0.8, 1.0, async () =>
    {
        var watch = Stopwatch.StartNew();
        await using var fixture = await RelayFixture.StartAsync(new() { Outages = [new(default, MediaTime.FromSeconds(0.3)), new(MediaTime.FromSeconds(0.3), MediaTime.FromSeconds(0.5))] });
        var (client, server) = await fixture.ConnectBothAsync();
        client.Dispose();
        server.Dispose();
        return watch.Elapsed.TotalSeconds;
    });

    [Fact]
    public async Task Change_RateWhileFull_SenderGoesOnAtOnce()
    {
        // At 100 bit/s a segment takes two minutes: nobody may sleep that long when the rate has changed.
        await using var fixture = await RelayFixture.StartAsync(new() { Rate = new(1_000_000), Queue = new(3000) });
        var (client, server) = await fixture.ConnectBothAsync();
        using (client)
        using (server)
        {
            await fixture.UntilAsync(s => s.Up.Packets == 2);
            fixture.Relay.Change(link => link with { Rate = new(100) });
            var sending = client.SendAsync(new byte[40_000]);
            await Task.Delay(200);
            Assert.InRange(fixture.Relay.Snapshot().Up.PayloadBytes, 0, 0);
            var watch = Stopwatch.StartNew();
            fixture.Relay.Change(link => link with { Rate = new(1_000_000) });
            await RelayFixture.ReceiveAsync(server, 40_000, watch);
            Assert.True(watch.Elapsed < TimeSpan.FromSeconds(5), $"{watch.Elapsed}");
            await sending;
        }
    }
}
