using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using CmvcStream.Core.Control;
using CmvcStream.Core.Media;

namespace CmvcStream.Throttle;

/// <summary>
/// A relay that is a constrained link: TCP connections end here on both sides, and their bytes, with the headers that a real link
/// would carry for them, go through one <see cref="LinkModel{T}"/> a direction, shared by all, and by datagrams where they are relayed too.
/// </summary>
public sealed class ThrottleRelay : IAsyncDisposable
{
    private readonly ThrottleOptions _options;
    private readonly Action<string> _log;
    private readonly Socket _listener;
    private readonly UdpRelay? _udp;
    private readonly Lock _changing = new();
    private readonly RelayClock _clock = new(TimeProvider.System);
    private readonly LinkDriver _up, _down;
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentDictionary<Task, byte> _connections = new();
    private int _open, _disposed;
    private long _total, _refused;

    private ThrottleRelay(ThrottleOptions options, Socket listener, Socket? datagrams, Action<string> log)
    {
        (_options, _listener, _log) = (options, listener, log);
        _up = new(options.Link, _clock);
        _down = new(options.Link with { Seed = unchecked(options.Link.Seed + 1) }, _clock);
        if (datagrams is not null)
            _udp = new(datagrams, options, _up, _down, _clock, log);
        ListenAt = (IPEndPoint)listener.LocalEndPoint!;
        Completion = RunAsync();
    }

    /// <summary>Where it accepts, with the port that was taken when 0 was asked for.</summary>
    public IPEndPoint ListenAt { get; }

    /// <summary>Ends when the relay is disposed; faults when it cannot go on.</summary>
    public Task Completion { get; }

    /// <summary>Begins to accept.</summary>
    /// <param name="options">What to relay.</param>
    /// <param name="log">Takes lines for people; may be called from several threads.</param>
    /// <param name="cancellationToken">Gives up the start.</param>
    /// <exception cref="ThrottleException">It cannot listen there; the message says why.</exception>
    /// <exception cref="ArgumentException">The link's settings are out of range.</exception>
    public static async Task<ThrottleRelay> StartAsync(ThrottleOptions options, Action<string> log, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Link.Validate();
        try
        {
            var (listener, datagrams) = Listen(await options.Listen.ResolveAsync(cancellationToken), options.Udp);
            return new(options, listener, datagrams, log);
        }
        catch (SocketException e)
        {
            throw new ThrottleException(e.SocketErrorCode switch
            {
                SocketError.AddressAlreadyInUse => $"cannot listen on {options.Listen}: the port is in use; free it or take another",
                SocketError.AccessDenied => $"cannot listen on {options.Listen}: not allowed; take a port above 1023",
                SocketError.AddressNotAvailable => $"cannot listen on {options.Listen}: this machine has no such address",
                _ => $"cannot listen on {options.Listen}: {e.Message}",
            }, e);
        }
    }

    /// <summary>What each direction is like now.</summary>
    public LinkSettings Link => _up.Settings;

    /// <summary>Time since the relay began, which outages are timed in.</summary>
    public MediaTime Now => _clock.Now;

    /// <summary>What has gone through so far.</summary>
    public ThrottleStats Snapshot()
    {
        var (up, down) = (_up.State, _down.State);
        return new(
            _clock.Now.Seconds, new(Volatile.Read(ref _open), Interlocked.Read(ref _total), Interlocked.Read(ref _refused)),
            DirectionStats.Of(up, _up), DirectionStats.Of(down, _down), LinkStats.Of(up))
        { Udp = _udp?.Clients };
    }

    /// <summary>Makes both directions another link from now on.</summary>
    /// <param name="change">Gets what it is like and makes of it what it will be.</param>
    /// <exception cref="ArgumentException">The settings are out of range; nothing has changed.</exception>
    public void Change(Func<LinkSettings, LinkSettings> change)
    {
        lock (_changing)
        {
            var link = change(Link);
            link.Validate();
            _up.Change(link);
            _down.Change(link with { Seed = unchecked(link.Seed + 1) });
        }
    }

    /// <summary>Begins an outage, whatever there was before.</summary>
    /// <param name="length">How long it lasts; null is until it is ended.</param>
    public void StartOutage(MediaTime? length) => Change(
        link => link with { Outages = [.. OutagesFrom(_clock.Now, link), new(_clock.Now, length ?? LinkOutage.Endless)] });

    /// <summary>Ends the outage that there is; those that were asked for later stay.</summary>
    public void EndOutage() => Change(link => link with { Outages = OutagesFrom(_clock.Now, link) });

    /// <summary>Stops accepting and resets what is open: bytes in the link are lost, and nobody should take that for an end.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
            return;
        await _stop.CancelAsync();
        await Completion.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await Task.WhenAll(_connections.Keys);
        _listener.Dispose();
        _udp?.Dispose();
        _up.Dispose();
        _down.Dispose();
        _stop.Dispose();
    }

    /// <summary>The same port for both, where both are wanted.</summary>
    private static (Socket Listener, Socket? Datagrams) Listen(IPEndPoint at, bool udp)
    {
        for (var tries = 0; ; tries++)
        {
            var listener = RelaySocket.Listen(at);
            if (!udp)
                return (listener, null);
            try
            {
                return (listener, RelaySocket.ListenUdp((IPEndPoint)listener.LocalEndPoint!));
            }
            catch (SocketException) when (at.Port == 0 && tries < 20)
            {
                listener.Dispose(); // somebody else's port for datagrams: take another
            }
            catch
            {
                listener.Dispose();
                throw;
            }
        }
    }

    /// <summary>Outages that have not begun.</summary>
    private static List<LinkOutage> OutagesFrom(MediaTime now, LinkSettings link) => [.. link.Outages.Where(o => o.Start > now)];

    private async Task RunAsync()
    {
        var datagrams = _udp?.RunAsync(_stop.Token) ?? Task.Delay(Timeout.Infinite, _stop.Token);
        var ended = await Task.WhenAny(AcceptAsync(), datagrams, _up.RunAsync(_stop.Token), _down.RunAsync(_stop.Token));
        if (!_stop.IsCancellationRequested)
            await ended;
    }

    private async Task AcceptAsync()
    {
        while (true)
        {
            var client = await AcceptOneAsync();
            var connection = ServeAsync(client);
            _connections.TryAdd(connection, 0);
            _ = connection.ContinueWith(c => _connections.TryRemove(c, out _), TaskScheduler.Default);
        }
    }

    private async Task<Socket> AcceptOneAsync()
    {
        while (true)
        {
            try
            {
                return await _listener.AcceptAsync(_stop.Token);
            }
            catch (SocketException e)
            {
                // A client that left before it was accepted, or no file descriptors: neither ends the relay, and the second takes time.
                _log($"cannot accept a connection: {e.Message}");
                await Task.Delay(100, _stop.Token);
            }
        }
    }

    private async Task ServeAsync(Socket client)
    {
        await Task.Yield(); // accepting goes on
        Interlocked.Increment(ref _total);
        Interlocked.Increment(ref _open);
        try
        {
            await new RelayConnection(client, _options.To, _up, _down, _clock).RunAsync(_stop.Token);
        }
        catch (SocketException e)
        {
            Interlocked.Increment(ref _refused);
            _log($"no connection to {_options.To}: {e.Message}");
        }
        catch (OperationCanceledException)
        {
            // stopped
        }
        finally
        {
            Interlocked.Decrement(ref _open);
        }
    }
}
