using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using CmvcStream.Core.Control;
using CmvcStream.Core.Media;
using Xunit;

namespace CmvcStream.Throttle.Tests;

/// <summary>How connections begin, end and fail through the relay.</summary>
public sealed class ThrottleRelayConnectionTests
{
    private static readonly LinkSettings _short = new() { Rate = new(1_000_000), Delay = MediaTime.FromMilliseconds(20) };

    [Fact]
    public async Task Transfer_BothWays_BytesComeOutAsTheyWent()
    {
        await using var fixture = await RelayFixture.StartAsync(_short with { Jitter = MediaTime.FromMilliseconds(15), Seed = 4 });
        var (client, server) = await fixture.ConnectBothAsync();
        using (client)
        using (server)
        {
            byte[] up = new byte[20_000], down = new byte[15_000];
            new Random(1).NextBytes(up);
            new Random(2).NextBytes(down);
            var got = await RelayFixture.ExchangeAsync(client, server, up, down, chunk: 777);

            Assert.Equal(up, got[0]);
            Assert.Equal(down, got[1]);
        }
    }

    [Fact]
    public async Task Shutdown_ClientHalfCloses_ServerCanStillAnswer()
    {
        await using var fixture = await RelayFixture.StartAsync(_short);
        var (client, server) = await fixture.ConnectBothAsync();
        using (client)
        using (server)
        {
            await client.SendAsync("question"u8.ToArray());
            client.Shutdown(SocketShutdown.Send);
            Assert.Equal("question", Encoding.ASCII.GetString(await RelayFixture.ReceiveToEndAsync(server)));
            await Task.Delay(100);
            await server.SendAsync("answer"u8.ToArray());
            server.Shutdown(SocketShutdown.Send);
            Assert.Equal("answer", Encoding.ASCII.GetString(await RelayFixture.ReceiveToEndAsync(client)));
        }

        await fixture.UntilAsync(s => s.Connections is { Open: 0, Total: 1, Refused: 0 });
    }

    [Fact]
    public async Task Close_ServerResets_ClientIsResetAfterTheData()
    {
        await using var fixture = await RelayFixture.StartAsync(_short);
        var (client, server) = await fixture.ConnectBothAsync();
        using (client)
        {
            await server.SendAsync(new byte[5000]);
            await fixture.UntilAsync(s => s.Down.PayloadBytes == 5000);
            server.LingerState = new(true, 0);
            server.Dispose();

            await RelayFixture.ReceiveAsync(client, 5000, Stopwatch.StartNew());
            var e = await Assert.ThrowsAsync<SocketException>(() => RelayFixture.ReceiveToEndAsync(client));
            Assert.Equal(SocketError.ConnectionReset, e.SocketErrorCode);
        }

        await fixture.UntilAsync(s => s.Connections.Open == 0);
    }

    [Fact]
    public async Task Close_ClientResetsAfterHalfClose_ServerThatSendsIsReset()
    {
        await using var fixture = await RelayFixture.StartAsync(_short);
        var (client, server) = await fixture.ConnectBothAsync();
        using (server)
        {
            client.Shutdown(SocketShutdown.Send);
            await RelayFixture.ReceiveToEndAsync(server);
            client.LingerState = new(true, 0);
            client.Dispose();

            var e = await Assert.ThrowsAnyAsync<SocketException>(async () =>
            {
                for (var i = 0; i < 500; i++)
                {
                    await server.SendAsync(new byte[100]);
                    await Task.Delay(10);
                }
            });
            Assert.True(e.SocketErrorCode is SocketError.ConnectionReset or SocketError.Shutdown, e.Message);
        }

        await fixture.UntilAsync(s => s.Connections.Open == 0);
    }

    [Fact]
    public async Task Connect_TargetRefuses_ClientIsResetAndTheRelayGoesOn()
    {
        await using var fixture = await RelayFixture.StartAsync(_short);
        var target = (IPEndPoint)fixture.Target.LocalEndPoint!;
        fixture.Target.Dispose();
        using (var refused = await fixture.ConnectAsync())
        {
            var e = await Assert.ThrowsAsync<SocketException>(() => RelayFixture.ReceiveToEndAsync(refused));
            Assert.Equal(SocketError.ConnectionReset, e.SocketErrorCode);
        }

        await fixture.UntilAsync(s => s.Connections is { Open: 0, Refused: 1 });
        lock (fixture.Log)
            Assert.Contains(target.ToString(), Assert.Single(fixture.Log), StringComparison.Ordinal);

        using var again = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        again.Bind(target);
        again.Listen();
        using var client = await fixture.ConnectAsync();
        using var server = await again.AcceptAsync().WaitAsync(TimeSpan.FromSeconds(5));
        await client.SendAsync(new byte[3]);
        await RelayFixture.ReceiveAsync(server, 3, Stopwatch.StartNew());
    }

    [Fact]
    public async Task StartAsync_PortInUse_SaysSo()
    {
        await using var fixture = await RelayFixture.StartAsync(_short);
        var options = new ThrottleOptions(new("127.0.0.1", fixture.Relay.ListenAt.Port), new("127.0.0.1", 1), _short);

        var e = await Assert.ThrowsAsync<ThrottleException>(() => ThrottleRelay.StartAsync(options, _ => { }, CancellationToken.None));
        Assert.Contains($"127.0.0.1:{fixture.Relay.ListenAt.Port}: the port is in use", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task DisposeAsync_OpenConnection_ResetsBothEnds()
    {
        await using var fixture = await RelayFixture.StartAsync(_short);
        var (client, server) = await fixture.ConnectBothAsync();
        using (client)
        using (server)
        {
            await fixture.UntilAsync(s => s.Up.Packets == 2);
            await fixture.Relay.DisposeAsync();

            await Assert.ThrowsAsync<SocketException>(() => RelayFixture.ReceiveToEndAsync(client));
            await Assert.ThrowsAsync<SocketException>(() => RelayFixture.ReceiveToEndAsync(server));
        }
    }
}
