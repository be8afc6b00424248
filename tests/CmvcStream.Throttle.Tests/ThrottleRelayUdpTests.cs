using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using CmvcStream.Core.Control;
using CmvcStream.Core.Media;
using Xunit;

namespace CmvcStream.Throttle.Tests;

/// <summary>Datagrams through the relay.</summary>
public sealed class ThrottleRelayUdpTests
{
    [Fact]
    public async Task Datagrams_TwoClients_EachGetsItsOwnAnswers()
    {
        await using var fixture = await RelayFixture.StartAsync(new() { Rate = new(1_000_000), Delay = MediaTime.FromMilliseconds(5) }, udp: true);
        using Socket one = fixture.ConnectUdp(), two = fixture.ConnectUdp();
        one.Send([1]);
        two.Send([2]);
        for (var i = 0; i < 2; i++)
        {
            var (data, from) = Receive(fixture.Datagrams!);
            fixture.Datagrams!.SendTo([data[0], 7], from);
        }

        Assert.Equal([1, 7], ReceiveConnected(one));
        Assert.Equal([2, 7], ReceiveConnected(two));
        one.Send(Array.Empty<byte>()); // an empty one is one, too
        Assert.Empty(Receive(fixture.Datagrams!).Data);

        var s = await fixture.UntilAsync(s => s.Up.UdpPackets == 3 && s.Down.UdpPackets == 2);
        Assert.Equal((2, 2, 0), (s.Udp!.Open, s.Udp.Total, s.Udp.Refused));
        Assert.Equal((29 + 29 + 28, 30 + 30), (s.Up.UdpBytes, s.Down.UdpBytes));
        Assert.Equal((s.Up.UdpBytes, 2), (s.Up.Bytes, s.Up.PayloadBytes));
    }

    [Fact]
    public async Task Datagrams_MoreThanTheQueueHolds_AreDroppedAtTheTail()
    {
        await using var fixture = await RelayFixture.StartAsync(new() { Rate = new(80_000), Queue = new(1280) }, udp: true);
        using var client = fixture.ConnectUdp();
        client.Send(new byte[100]); // 128 with its headers; its arrival shows that the relay is at work
        Receive(fixture.Datagrams!);
        for (var i = 0; i < 30; i++)
            client.Send([(byte)i, .. new byte[99]]);
        var s = await fixture.UntilAsync(s => s.Up.OfferedBytes == 31 * 128 && s.Up.QueueBytes == 0 && s.Up.Bytes == 128 * (31 - s.Up.Dropped));

        Assert.InRange(s.Up.Dropped, 15, 20); // ten fit, and some leave while the others come
        Assert.InRange(s.Up.QueueMaxBytes, 1200, 1280);
        var got = Enumerable.Range(0, 30 - (int)s.Up.Dropped).Select(_ => (int)Receive(fixture.Datagrams!).Data[0]).ToList();
        Assert.Equal(Enumerable.Range(0, 10), got.Take(10));
    }

    [Fact]
    public async Task Datagrams_AndTcp_ShareTheLink() => await RelayFixture.TakesAsync(0.95, 1.15, async () =>
    {
        await using var fixture = await RelayFixture.StartAsync(new() { Rate = new(200_000), Queue = new(100_000) }, udp: true);
        var (client, server) = await fixture.ConnectBothAsync();
        using var sender = fixture.ConnectUdp();
        using (client)
        using (server)
        {
            var watch = Stopwatch.StartNew();
            for (var i = 0; i < 10; i++)
                sender.Send(new byte[1222]); // 1250 with headers: half a second in all
            var sending = client.SendAsync(new byte[8 * LinkTcp.MaxPayload]); // 12 kB: just less than another half
            var tcp = await RelayFixture.ReceiveAsync(server, 8 * LinkTcp.MaxPayload, watch);
            for (var i = 0; i < 10; i++)
                Receive(fixture.Datagrams!);
            await sending;
            return Math.Max(tcp.Last.TotalSeconds, watch.Elapsed.TotalSeconds);
        }
    });

    [Fact]
    public async Task Datagrams_DuplicatedAndReordered_ArriveSo()
    {
        await using var fixture = await RelayFixture.StartAsync(new() { Rate = new(1_000_000), Duplicate = 0.2, Reorder = 0.2, Seed = 3, Queue = new(50_000) }, udp: true);
        using var client = fixture.ConnectUdp();
        for (var i = 0; i < 100; i++)
            client.Send([(byte)i]);
        var s = await fixture.UntilAsync(s => s.Up.OfferedBytes == s.Up.Bytes && s.Up.Packets >= 100 && s.Up.QueueBytes == 0);
        var got = Enumerable.Range(0, (int)s.Up.UdpPackets).Select(_ => (int)Receive(fixture.Datagrams!).Data[0]).ToList();

        Assert.Equal(Enumerable.Range(0, 100), got.Distinct().Order());
        Assert.Equal(100 + s.Up.Duplicated, got.Count);
        Assert.InRange(s.Up.Duplicated, 10, 30);
        Assert.InRange(s.Up.Reordered, 10, 30);
        Assert.NotEqual(got.Distinct(), got.Distinct().Order());
    }

    [Fact]
    public async Task Datagrams_NobodyListens_IsSaidAndTheRelayGoesOn()
    {
        await using var fixture = await RelayFixture.StartAsync(new(), udp: true);
        var target = fixture.Datagrams!.LocalEndPoint!;
        fixture.Datagrams.Dispose();
        using var client = fixture.ConnectUdp();
        client.Send([1]);
        for (var watch = Stopwatch.StartNew(); ; await Task.Delay(10))
        {
            lock (fixture.Log)
            {
                if (fixture.Log.Any(l => l.Contains("nobody listens", StringComparison.Ordinal)))
                    break;
            }

            Assert.True(watch.Elapsed.TotalSeconds < 10);
        }

        using var again = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { ReceiveTimeout = 10_000 };
        again.Bind(target);
        client.Send([2]);
        Assert.Equal([2], Receive(again).Data);
    }

    [Fact]
    public async Task Datagrams_TooManyClients_AreRefusedAndCounted()
    {
        await using var fixture = await RelayFixture.StartAsync(new(), udp: true);
        var clients = Enumerable.Range(0, UdpRelay.MaxClients + 3).Select(_ => fixture.ConnectUdp()).ToList();
        foreach (var client in clients)
        {
            client.Send([1]);
            await Task.Delay(1);
        }

        var s = await fixture.UntilAsync(s => s.Udp!.Refused == 3);
        Assert.Equal((UdpRelay.MaxClients, UdpRelay.MaxClients), (s.Udp!.Open, s.Udp.Total));
        clients.ForEach(c => c.Dispose());
    }

    [Fact]
    public async Task Datagrams_SilentClient_IsForgottenAndComesBack()
    {
        await using var fixture = await RelayFixture.StartAsync(new(), udp: true, udpIdle: 0.3);
        using var client = fixture.ConnectUdp();
        client.Send([1]);
        var first = Receive(fixture.Datagrams!).From;
        await fixture.UntilAsync(s => s.Udp is { Open: 0, Total: 1 });

        client.Send([2]);
        var second = Receive(fixture.Datagrams!).From;
        Assert.NotEqual(first, second);
        fixture.Datagrams!.SendTo([3], second);
        Assert.Equal([3], ReceiveConnected(client));
        Assert.Equal(2, fixture.Relay.Snapshot().Udp!.Total);
    }

    private static (byte[] Data, EndPoint From) Receive(Socket socket)
    {
        var buffer = new byte[2000];
        EndPoint from = new IPEndPoint(IPAddress.Any, 0);
        var n = socket.ReceiveFrom(buffer, ref from);
        return (buffer[..n], from);
    }

    private static byte[] ReceiveConnected(Socket socket)
    {
        var buffer = new byte[2000];
        return buffer[..socket.Receive(buffer)];
    }
}
