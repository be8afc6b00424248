using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace CmvcStream.Throttle;

/// <summary>
/// A TCP relay that is a constrained link: connections end here on both sides, and their bytes, with the headers that a real link
/// would carry for them, go through one <see cref="Core.Control.LinkModel{T}"/> a direction, shared by all.
/// </summary>
public sealed class ThrottleRelay : IAsyncDisposable
{
    private readonly ThrottleOptions _options;
    private readonly Action<string> _log;
    private readonly Socket _listener;
    private readonly RelayClock _clock = new(TimeProvider.System);
    private readonly LinkDriver _up, _down;
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentDictionary<Task, byte> _connections = new();
    private int _open, _disposed;
    private long _total, _refused;

    private ThrottleRelay(ThrottleOptions options, Socket listener, Action<string> log)
    {
        (_options, _listener, _log) = (options, listener, log);
        _up = new(options.Link, _clock);
        _down = new(options.Link with { Seed = unchecked(options.Link.Seed + 1) }, _clock);
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
            return new(options, RelaySocket.Listen(await options.Listen.ResolveAsync(cancellationToken)), log);
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

    /// <summary>What has gone through so far.</summary>
    public ThrottleStats Snapshot() => new(
        _clock.Now.Seconds, new(Volatile.Read(ref _open), Interlocked.Read(ref _total), Interlocked.Read(ref _refused)),
        DirectionStats.Of(_up), DirectionStats.Of(_down));

    /// <summary>Stops accepting and resets what is open: bytes in the link are lost, and nobody should take that for an end.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
            return;
        await _stop.CancelAsync();
        await Completion.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await Task.WhenAll(_connections.Keys);
        _listener.Dispose();
        _up.Dispose();
        _down.Dispose();
        _stop.Dispose();
    }

    private async Task RunAsync()
    {
        var ended = await Task.WhenAny(AcceptAsync(), _up.RunAsync(_stop.Token), _down.RunAsync(_stop.Token));
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
