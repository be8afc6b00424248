using System.Net;
using System.Net.Sockets;

namespace EndToEnd.Tests.Session;

/// <summary>A TCP relay for one connection that can fall silent: nothing passes any more, and neither end is told, as when a link is gone.</summary>
internal sealed class SilentRelay : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly TcpClient _onward = new();
    private readonly CancellationTokenSource _silence = new();
    private TcpClient? _client;

    public SilentRelay(string to)
    {
        _listener.Start();
        _ = RelayAsync(new(to));
    }

    public string Url => $"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}";

    public void FallSilent() => _silence.Cancel();

    public void Dispose()
    {
        _silence.Cancel();
        _listener.Stop();
        _client?.Dispose();
        _onward.Dispose();
        _silence.Dispose();
    }

    private async Task RelayAsync(Uri to)
    {
        _client = await _listener.AcceptTcpClientAsync(_silence.Token);
        await _onward.ConnectAsync(to.Host, to.Port, _silence.Token);
        await Task.WhenAll(CopyAsync(_client, _onward), CopyAsync(_onward, _client));
    }

    private async Task CopyAsync(TcpClient from, TcpClient to)
    {
        var buffer = new byte[4096];
        while (await from.GetStream().ReadAsync(buffer, _silence.Token) is var n and > 0)
            await to.GetStream().WriteAsync(buffer.AsMemory(0, n), _silence.Token);
    }
}
