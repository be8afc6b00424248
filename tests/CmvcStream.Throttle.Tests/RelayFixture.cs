using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using CmvcStream.Core.Control;
using Xunit;

namespace CmvcStream.Throttle.Tests;

/// <summary>A relay in front of a listening socket of our own: tests hold both ends of each connection.</summary>
internal sealed class RelayFixture : IAsyncDisposable
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(10);

    private RelayFixture(ThrottleRelay relay, Socket target, Socket? datagrams, List<string> log) =>
        (Relay, Target, Datagrams, Log) = (relay, target, datagrams, log);

    public ThrottleRelay Relay { get; }

    public Socket Target { get; }

    /// <summary>The target of UDP, on the same port; null where it is not relayed.</summary>
    public Socket? Datagrams { get; }

    /// <summary>What the relay told people; read under its lock.</summary>
    public List<string> Log { get; }

    public static async Task<RelayFixture> StartAsync(LinkSettings link, bool udp = false, double udpIdle = 120)
    {
        var (target, datagrams) = Listen(udp);
        var log = new List<string>();
        var options = new ThrottleOptions(new("127.0.0.1", 0), new("127.0.0.1", ((IPEndPoint)target.LocalEndPoint!).Port), link) { Udp = udp, UdpIdle = Core.Media.MediaTime.FromSeconds(udpIdle) };
        var relay = await ThrottleRelay.StartAsync(
            options,
            line =>
            {
                lock (log)
                    log.Add(line);
            },
            CancellationToken.None);
        return new(relay, target, datagrams, log);
    }

    public async Task<Socket> ConnectAsync()
    {
        var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await client.ConnectAsync(Relay.ListenAt);
        return client;
    }

    /// <summary>A client of UDP.</summary>
    public Socket ConnectUdp()
    {
        var client = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { ReceiveTimeout = 10_000 };
        client.Connect(Relay.ListenAt);
        return client;
    }

    /// <summary>Both ends of a connection through the relay, its handshake over the link done.</summary>
    public async Task<(Socket Client, Socket Server)> ConnectBothAsync()
    {
        var client = await ConnectAsync();
        var server = await Target.AcceptAsync().WaitAsync(_patience);
        server.NoDelay = true;
        return (client, server);
    }

    /// <summary>Reads so many bytes; the time when the first and the last of them came.</summary>
    public static async Task<(TimeSpan First, TimeSpan Last)> ReceiveAsync(Socket socket, int bytes, Stopwatch watch)
    {
        using var patience = new CancellationTokenSource(_patience);
        var buffer = new byte[4096];
        TimeSpan? first = null;
        for (var got = 0; got < bytes;)
        {
            var n = await socket.ReceiveAsync(buffer.AsMemory(0, Math.Min(buffer.Length, bytes - got)), patience.Token);
            if (n == 0)
                throw new EndOfStreamException($"the end after {got} of {bytes} bytes");
            first ??= watch.Elapsed;
            got += n;
        }

        return (first ?? watch.Elapsed, watch.Elapsed);
    }

    /// <summary>
    /// A transfer never takes less than <paramref name="least"/> seconds, and no more than <paramref name="most"/>. A machine that is busy with
    /// something else slows it down, and cannot speed it up: so the upper bound has to hold in one of a few runs, the lower one in each.
    /// </summary>
    public static async Task TakesAsync(double least, double most, Func<Task<double>> transfer)
    {
        var took = new List<double>();
        do
        {
            took.Add(await transfer());
            Assert.True(took[^1] >= least, $"{took[^1]:0.000} s: faster than {least:0.000} s");
        }
        while (took[^1] > most && took.Count < 6);
        Assert.True(took[^1] <= most, $"never within {most:0.000} s: {string.Join(", ", took.Select(t => t.ToString("0.000", System.Globalization.CultureInfo.InvariantCulture)))} s");
    }

    /// <summary>Everything up to the end of the stream.</summary>
    public static async Task<byte[]> ReceiveToEndAsync(Socket socket)
    {
        using var patience = new CancellationTokenSource(_patience);
        using var all = new MemoryStream();
        var buffer = new byte[4096];
        while (await socket.ReceiveAsync(buffer.AsMemory(), patience.Token) is > 0 and var n)
            all.Write(buffer, 0, n);
        return all.ToArray();
    }

    /// <summary>Waits until the relay's statistics are as wanted.</summary>
    public async Task<ThrottleStats> UntilAsync(Func<ThrottleStats, bool> wanted)
    {
        for (var watch = Stopwatch.StartNew(); watch.Elapsed < _patience; await Task.Delay(10))
        {
            if (Relay.Snapshot() is var s && wanted(s))
                return s;
        }

        throw new TimeoutException($"still {Relay.Snapshot().ToJson()}");
    }

    /// <summary>Sends to both ends at once, ends both ways, and gives what came out: at the server, at the client.</summary>
    /// <param name="client">One end.</param>
    /// <param name="server">The other.</param>
    /// <param name="up">For the server.</param>
    /// <param name="down">For the client.</param>
    /// <param name="chunk">Most bytes of one write.</param>
    public static async Task<byte[][]> ExchangeAsync(Socket client, Socket server, byte[] up, byte[] down, int chunk = int.MaxValue)
    {
        var sending = Task.WhenAll(SendAndEndAsync(client, up), SendAndEndAsync(server, down));
        var got = await Task.WhenAll(ReceiveToEndAsync(server), ReceiveToEndAsync(client));
        await sending;
        return got;

        async Task SendAndEndAsync(Socket socket, byte[] data)
        {
            for (var rest = data.AsMemory(); rest.Length > 0;)
                rest = rest[await socket.SendAsync(rest[..Math.Min(rest.Length, chunk)])..];
            socket.Shutdown(SocketShutdown.Send);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Relay.DisposeAsync();
        Target.Dispose();
        Datagrams?.Dispose();
    }

    private static (Socket Target, Socket? Datagrams) Listen(bool udp)
    {
        while (true)
        {
            var target = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            target.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            target.Listen();
            if (!udp)
                return (target, null);
            var datagrams = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { ReceiveTimeout = 10_000 };
            try
            {
                datagrams.Bind(target.LocalEndPoint!);
                return (target, datagrams);
            }
            catch (SocketException) // somebody else's port for datagrams
            {
                target.Dispose();
                datagrams.Dispose();
            }
        }
    }
}
