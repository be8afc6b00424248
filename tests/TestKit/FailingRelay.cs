using System.Net;
using System.Net.Sockets;

namespace CmvcStream.TestKit;

/// <summary>
/// A TCP relay for one connection that can break at both ends at once, as a machine that dies does, or fall silent, as a link that is gone.
/// </summary>
public sealed class FailingRelay : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly TcpClient _onward = new();
    private readonly CancellationTokenSource _silence = new();
    private readonly Task _relaying;
    private TcpClient? _client;
    private volatile bool _cut;

    public FailingRelay(Uri to)
    {
        ArgumentNullException.ThrowIfNull(to);
        _listener.Start();
        _relaying = RelayAsync(to);
    }

    /// <summary>Where it listens.</summary>
    public string Url => $"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}";

    /// <summary>Nothing passes any more, and neither end is told.</summary>
    public void FallSilent() => _silence.Cancel();

    /// <summary>Both connections are reset.</summary>
    public void Cut()
    {
        if (_cut)
            return;
        _cut = true;
        Reset(_client);
        Reset(_onward);
    }

    public async ValueTask DisposeAsync()
    {
        Cut();
        _listener.Stop();
        await _relaying;
        _onward.Dispose();
        _silence.Dispose();
    }

    private static void Reset(TcpClient? client)
    {
        if (client?.Client is not { SafeHandle.IsClosed: false } socket)
            return;
        socket.LingerState = new(true, 0);
        socket.Close();
    }

    private async Task RelayAsync(Uri to)
    {
        try
        {
            _client = await _listener.AcceptTcpClientAsync();
            await _onward.ConnectAsync(to.Host, to.Port);
            await Task.WhenAll(CopyAsync(_client, _onward), CopyAsync(_onward, _client));
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException or InvalidOperationException)
        {
            // Cut, perhaps before the sender's connection had been accepted.
            Reset(_client);
        }
        catch (OperationCanceledException)
        {
            // Silent: both connections stay open.
        }
    }

    private async Task CopyAsync(TcpClient from, TcpClient to)
    {
        var buffer = new byte[4096];
        while (await from.GetStream().ReadAsync(buffer, _silence.Token) is var n and > 0)
            await to.GetStream().WriteAsync(buffer.AsMemory(0, n), _silence.Token);
    }
}
