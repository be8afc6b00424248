using System.Net;
using System.Net.Sockets;

namespace CmvcStream.Transport.Tests;

/// <summary>A TCP relay that can break both connections at once, as a machine that dies does.</summary>
internal sealed class CutOffRelay : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly TcpClient _onward = new();
    private readonly Task _relaying;
    private TcpClient? _client;
    private volatile bool _cut;

    public CutOffRelay(Uri to)
    {
        _listener.Start();
        _relaying = RelayAsync(to);
    }

    public string Url => $"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}";

    public void Cut()
    {
        if (_cut)
            return;
        _cut = true;
        Reset(_client);
        Reset(_onward);
    }

    private static void Reset(TcpClient? client)
    {
        if (client?.Client is not { SafeHandle.IsClosed: false } socket)
            return;
        socket.LingerState = new(true, 0);
        socket.Close();
    }

    public async ValueTask DisposeAsync()
    {
        Cut();
        _listener.Stop();
        await _relaying;
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
    }

    private static async Task CopyAsync(TcpClient from, TcpClient to)
    {
        var buffer = new byte[4096];
        while (await from.GetStream().ReadAsync(buffer) is var n and > 0)
            await to.GetStream().WriteAsync(buffer.AsMemory(0, n));
    }
}
