using System.Diagnostics;
using System.Net.Sockets;
using CmvcStream.Core.Control;
using CmvcStream.Core.Media;
using Xunit;

namespace CmvcStream.Throttle.Tests;

/// <summary>What the link does to bytes on real sockets.</summary>
public sealed class ThrottleRelayLinkTests
{
    [Fact]
    public async Task Transfer_Bulk_TakesWhatTheRateAllows()
    {
        const int Bytes = 60_000;
        var expected = new Bitrate(200_000).TimeFor(LinkTcp.WireSize(Bytes)).Seconds;
        await RelayFixture.TakesAsync(expected * 0.95, expected * 1.05, () => TransferAsync(Bytes, down: false));
    }

    [Fact]
    public async Task Transfer_Down_IsLimitedAsWell()
    {
        const int Bytes = 20_000;
        var expected = new Bitrate(200_000).TimeFor(LinkTcp.WireSize(Bytes)).Seconds;
        await RelayFixture.TakesAsync(expected * 0.95, expected * 1.1, () => TransferAsync(Bytes, down: true));
    }

    [Fact]
    public async Task Transfer_SmallWrites_PayForTheirHeaders()
    {
        const int Messages = 40, Size = 48; // 100 bytes each on the wire
        await RelayFixture.TakesAsync(0.8 * 0.95, 0.8 * 1.1, async () =>
        {
            await using var fixture = await RelayFixture.StartAsync(new() { Rate = new(40_000) });
            var (client, server) = await fixture.ConnectBothAsync();
            using (client)
            using (server)
            {
                await fixture.UntilAsync(s => s.Up.Packets == 2);
                var watch = Stopwatch.StartNew();
                var receiving = RelayFixture.ReceiveAsync(server, Messages * Size, watch);
                for (var i = 0; i < Messages; i++)
                {
                    await client.SendAsync(new byte[Size]);
                    await Task.Delay(10); // apart, as messages are: the kernel does not join them
                }

                return (await receiving).Last.TotalSeconds;
            }
        });
    }

    [Fact]
    public async Task Ping_Delay_IsTwiceTheOneWayDelay() => await RelayFixture.TakesAsync(0.3, 0.4, async () =>
    {
        await using var fixture = await RelayFixture.StartAsync(new() { Delay = MediaTime.FromMilliseconds(150) });
        var (client, server) = await fixture.ConnectBothAsync();
        using (client)
        using (server)
        {
            await fixture.UntilAsync(s => s.Up.Packets == 2); // the handshake is over
            var watch = Stopwatch.StartNew();
            await client.SendAsync(new byte[10]);
            await RelayFixture.ReceiveAsync(server, 10, watch);
            await server.SendAsync(new byte[10]);
            await RelayFixture.ReceiveAsync(client, 10, watch);
            return watch.Elapsed.TotalSeconds;
        }
    });

    [Fact] // SYN there, SYN-ACK back, data there
    public async Task Connect_Delay_HoldsTheFirstByteForAHandshake() => await RelayFixture.TakesAsync(0.3, 0.4, async () =>
    {
        await using var fixture = await RelayFixture.StartAsync(new() { Delay = MediaTime.FromMilliseconds(100) });
        var watch = Stopwatch.StartNew();
        using var client = await fixture.ConnectAsync();
        await client.SendAsync(new byte[10]);
        using var server = await fixture.Target.AcceptAsync();
        return (await RelayFixture.ReceiveAsync(server, 10, watch)).First.TotalSeconds;
    });

    [Fact]
    public async Task Transfer_ManyConnections_ShareTheRate()
    {
        const int Connections = 5, Bytes = 8 * LinkTcp.MaxPayload;
        var expected = Connections * new Bitrate(300_000).TimeFor(LinkTcp.WireSize(Bytes)).Seconds;
        await RelayFixture.TakesAsync(expected * 0.95, expected * 1.05, async () =>
        {
            await using var fixture = await RelayFixture.StartAsync(new() { Rate = new(300_000), Queue = new(4500) });
            var pairs = new List<(Socket Client, Socket Server)>();
            for (var i = 0; i < Connections; i++)
                pairs.Add(await fixture.ConnectBothAsync());

            var watch = Stopwatch.StartNew();
            var sending = pairs.Select(p => p.Client.SendAsync(new byte[Bytes])).ToList();
            var ends = await Task.WhenAll(pairs.Select(p => RelayFixture.ReceiveAsync(p.Server, Bytes, watch)));
            await Task.WhenAll(sending);
            pairs.ForEach(p => p.Client.Dispose());
            pairs.ForEach(p => p.Server.Dispose());

            Assert.All(ends, e => Assert.True(e.Last.TotalSeconds >= expected * 0.5, "one was served before the others"));
            return ends.Max(e => e.Last).TotalSeconds;
        });
    }

    [Fact]
    public async Task Snapshot_OneTransfer_CountsEveryPacket()
    {
        const int Segments = 10, Bytes = Segments * LinkTcp.MaxPayload;
        await using var fixture = await RelayFixture.StartAsync(new() { Rate = new(400_000), Queue = new(3000) });
        var (client, server) = await fixture.ConnectBothAsync();
        await client.SendAsync(new byte[Bytes]);
        client.Shutdown(SocketShutdown.Send);
        await RelayFixture.ReceiveToEndAsync(server);
        server.Shutdown(SocketShutdown.Send);
        await RelayFixture.ReceiveToEndAsync(client);
        var s = await fixture.UntilAsync(s => s.Connections.Open == 0 && s.Up.Bytes == s.Up.OfferedBytes);

        // Up: SYN, ACK, data, FIN, ACK of the server's FIN. Down: SYN-ACK, ACKs, FIN.
        // The kernel's small window may split a segment or two.
        Assert.Equal(Bytes, s.Up.PayloadBytes);
        Assert.InRange(s.Up.Packets, Segments + 4, Segments + 6);
        Assert.Equal(60 + ((s.Up.Packets - 1) * 52) + Bytes, s.Up.Bytes);
        Assert.InRange(s.Up.QueueMaxBytes, 1500, 3000);
        Assert.InRange(s.Down.Packets, 1 + (Segments / 2) + 2, 1 + Segments + 2 + 2);
        Assert.Equal(60 + ((s.Down.Packets - 1) * 52), s.Down.Bytes);
        Assert.Equal((0, 0, 0), (s.Down.PayloadBytes, s.Up.Dropped, s.Down.Dropped));
        Assert.Equal((long)Math.Round(s.Up.Bytes * 8 / 5.0), s.Up.Max5sBps);
        client.Dispose();
        server.Dispose();
    }

    [Fact]
    public async Task Send_ReceiverDoesNotRead_SenderIsStoppedAndMemoryBounded()
    {
        const int Bytes = 8_000_000;
        var link = new LinkSettings { Rate = new(100_000_000), Queue = new(100_000) };
        await using var fixture = await RelayFixture.StartAsync(link);
        var (client, server) = await fixture.ConnectBothAsync();
        using (client)
        using (server)
        {
            server.ReceiveBufferSize = 4096;
            client.SendBufferSize = 65536;
            var sending = client.SendAsync(new byte[Bytes]);
            long before, after = -1;
            do
            {
                before = after;
                await Task.Delay(200);
                after = fixture.Relay.Snapshot().Up.PayloadBytes;
            }
            while (after != before);

            Assert.False(sending.IsCompleted);
            Assert.InRange(after, 100_000, 3_000_000); // the window and the kernel's buffers, not the 8 MB
            server.ReceiveBufferSize = 1_000_000;
            await RelayFixture.ReceiveAsync(server, Bytes, Stopwatch.StartNew());
            Assert.Equal(Bytes, await sending);
        }
    }

    /// <summary>Seconds until the last of so many bytes has come through a link of 200 kbit/s.</summary>
    private static async Task<double> TransferAsync(int bytes, bool down)
    {
        await using var fixture = await RelayFixture.StartAsync(new() { Rate = new(200_000), Queue = new(8000) });
        var (client, server) = await fixture.ConnectBothAsync();
        using (client)
        using (server)
        {
            var watch = Stopwatch.StartNew();
            var sending = (down ? server : client).SendAsync(new byte[bytes]);
            var (_, last) = await RelayFixture.ReceiveAsync(down ? client : server, bytes, watch);
            await sending;
            return last.TotalSeconds;
        }
    }
}
