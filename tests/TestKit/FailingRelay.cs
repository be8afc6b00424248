using System.Net;
using System.Net.Sockets;

namespace CmvcStream.TestKit;

/// <summary>
/// A TCP relay that can break its connections at both ends at once, as a machine that dies does, or let them fall silent, as a path that is gone;
/// what connects later gets through.
/// </summary>
public sealed class FailingRelay : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly Uri _to;
    private readonly Lock _gate = new();
    private readonly List<TcpClient> _clients = [];
    private readonly List<Task> _relaying = [];
    private readonly Task _accepting;
    private CancellationTokenSource _silence = new();

    public FailingRelay(Uri to)
    {
        ArgumentNullException.ThrowIfNull(to);
        _to = to;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    /// <summary>Where it listens.</summary>
    public string Url => $"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}";

    /// <summary>Nothing passes any more over the connections that there are, and neither end is told.</summary>
    public void FallSilent()
    {
        lock (_gate)
        {
            _silence.Cancel();
            _silence = new();
        }
    }

    /// <summary>All connections are reset.</summary>
    public void Cut()
    {
        lock (_gate)
        {
            foreach (var client in _clients)
                Reset(client);
            _clients.Clear();
        }
    }

    public async ValueTask DisposeAsync()
    {
        _listener.Stop();
        Cut();
        await _accepting;
        Cut();
        await Task.WhenAll(_relaying);
    }

    private static void Reset(TcpClient client)
    {
        if (client.Client is not { SafeHandle.IsClosed: false } socket)
            return;
        socket.LingerState = new(true, 0);
        socket.Close();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var client = await _listener.AcceptTcpClientAsync();
                lock (_gate)
                {
                    var onward = new TcpClient();
                    _clients.Add(client);
                    _clients.Add(onward);
                    _relaying.Add(RelayAsync(client, onward, _silence.Token));
                }
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or InvalidOperationException)
        {
            // The listener was stopped.
        }
    }

    private async Task RelayAsync(TcpClient client, TcpClient onward, CancellationToken silence)
    {
        try
        {
            await onward.ConnectAsync(_to.Host, _to.Port);
            await Task.WhenAll(CopyAsync(client, onward, silence), CopyAsync(onward, client, silence));
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException or InvalidOperationException)
        {
            // Cut at one end: the other is told, unless it is silent.
            if (silence.IsCancellationRequested)
                return;
            Reset(client);
            Reset(onward);
        }
        catch (OperationCanceledException)
        {
            // Silent: both connections stay open.
        }
    }

    private static async Task CopyAsync(TcpClient from, TcpClient to, CancellationToken silence)
    {
        var buffer = new byte[4096];
        while (await from.GetStream().ReadAsync(buffer, silence) is var n and > 0)
            await to.GetStream().WriteAsync(buffer.AsMemory(0, n), silence);
        to.Client.Shutdown(SocketShutdown.Send);
    }
}
