using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using CmvcStream.Core.Control;
using CmvcStream.Core.Media;

namespace CmvcStream.Throttle;

/// <summary>
/// Relays datagrams through the same link as TCP, as a NAT would: each client gets a socket of its own towards the target, so that answers
/// find their way back, for as long as either side says something.
/// </summary>
internal sealed class UdpRelay : IDisposable
{
    /// <summary>Clients at a time; those that come when it is full are refused until one has been silent for long enough.</summary>
    public const int MaxClients = 256;

    private readonly ConcurrentDictionary<EndPoint, Client> _clients = new();
    private readonly Socket _listener;
    private readonly ThrottleOptions _options;
    private readonly LinkDriver _up, _down;
    private readonly RelayClock _clock;
    private readonly Action<string> _log;
    private readonly bool _v6;
    private long _total, _refused;

    public UdpRelay(Socket listener, ThrottleOptions options, LinkDriver up, LinkDriver down, RelayClock clock, Action<string> log)
    {
        (_listener, _options, _up, _down, _clock, _log) = (listener, options, up, down, clock, log);
        _v6 = listener.AddressFamily == AddressFamily.InterNetworkV6;
    }

    /// <summary>Clients now, so far, and datagrams of clients that were refused or whose target has no address.</summary>
    public ConnectionStats Clients => new(_clients.Count, Interlocked.Read(ref _total), Interlocked.Read(ref _refused));

    /// <summary>Relays until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var sweeping = SweepAsync(cancellationToken);
        var buffer = GC.AllocateArray<byte>(65_536, pinned: true);
        EndPoint anyone = new IPEndPoint(_v6 ? IPAddress.IPv6Any : IPAddress.Any, 0);
        while (!sweeping.IsFaulted)
        {
            try
            {
                var got = await _listener.ReceiveFromAsync(buffer.AsMemory(), anyone, cancellationToken);
                if (await ClientAsync(got.RemoteEndPoint, cancellationToken) is { } client)
                    client.Send(buffer.AsSpan(0, got.ReceivedBytes));
            }
            catch (SocketException e)
            {
                _log($"cannot receive a datagram: {e.Message}");
                await Task.Delay(10, cancellationToken);
            }
        }

        await sweeping;
    }

    public void Dispose()
    {
        _listener.Dispose();
        foreach (var client in _clients.Values)
            client.Dispose();
    }

    private async ValueTask<Client?> ClientAsync(EndPoint address, CancellationToken cancellationToken)
    {
        if (_clients.TryGetValue(address, out var client))
            return client;
        if (_clients.Count >= MaxClients)
        {
            Interlocked.Increment(ref _refused);
            _log($"no room for another UDP client: {MaxClients} have spoken within {_options.UdpIdle}");
            return null;
        }

        try
        {
            var target = await _options.To.ResolveAsync(cancellationToken);
            client = new(this, address, target);
        }
        catch (SocketException e)
        {
            Interlocked.Increment(ref _refused);
            _log($"no way to {_options.To} over UDP: {e.Message}");
            return null;
        }

        _clients[address] = client;
        Interlocked.Increment(ref _total);
        _ = client.AnswerAsync(cancellationToken);
        return client;
    }

    private async Task SweepAsync(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(_options.UdpIdle.Seconds / 10));
        while (await timer.WaitForNextTickAsync(cancellationToken))
        {
            foreach (var (address, client) in _clients)
            {
                if (_clock.Now - client.Spoke > _options.UdpIdle && _clients.TryRemove(address, out _))
                    client.Dispose();
            }
        }
    }

    private Segment Datagram(ReadOnlySpan<byte> data, Action<byte[]> arrive)
    {
        var copy = data.ToArray();
        return new((int)LinkUdp.WireSize(data.Length, _v6).Bytes, data.Length, () => arrive(copy)) { IsDatagram = true };
    }

    private sealed class Client : IDisposable
    {
        private readonly UdpRelay _relay;
        private readonly EndPoint _address;
        private readonly Socket _socket;
        private long _spoke;

        public Client(UdpRelay relay, EndPoint address, IPEndPoint target)
        {
            (_relay, _address) = (relay, address);
            _socket = new(target.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
            try
            {
                _socket.Connect(target);
            }
            catch
            {
                _socket.Dispose();
                throw;
            }

            _spoke = relay._clock.Now.Microseconds;
        }

        /// <summary>When either side last said something.</summary>
        public MediaTime Spoke => new(Interlocked.Read(ref _spoke));

        public void Send(ReadOnlySpan<byte> data)
        {
            Interlocked.Exchange(ref _spoke, _relay._clock.Now.Microseconds);
            _relay._up.Offer(_relay.Datagram(data, arrived => Try(() => _socket.Send(arrived))));
        }

        /// <summary>Takes the target's answers back until the socket is closed.</summary>
        public async Task AnswerAsync(CancellationToken cancellationToken)
        {
            var buffer = GC.AllocateArray<byte>(65_536, pinned: true);
            while (!cancellationToken.IsCancellationRequested)
            {
                try
                {
                    var n = await _socket.ReceiveAsync(buffer.AsMemory(), cancellationToken);
                    Interlocked.Exchange(ref _spoke, _relay._clock.Now.Microseconds);
                    _relay._down.Offer(_relay.Datagram(buffer.AsSpan(0, n), arrived => Try(() => _relay._listener.SendTo(arrived, _address))));
                }
                catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionRefused)
                {
                    _relay._log($"nobody listens at {_relay._options.To} over UDP");
                    await Task.Delay(10, CancellationToken.None);
                }
                catch (Exception e) when (e is ObjectDisposedException or OperationCanceledException or SocketException)
                {
                    return;
                }
            }
        }

        public void Dispose() => _socket.Dispose();

        /// <summary>What cannot be sent on is lost, as it would be on the way.</summary>
        private static void Try(Func<int> send)
        {
            try
            {
                send();
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                // nobody is there any more
            }
        }
    }
}
