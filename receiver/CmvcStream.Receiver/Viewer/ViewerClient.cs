using System.Net.WebSockets;
using System.Text.Json;

namespace CmvcStream.Receiver.Viewer;

/// <summary>
/// One page that watches. Newest wins: of pictures and of states only the latest waits. At most <see cref="Window"/> pictures are
/// under way that the page has not confirmed ({"got": count}), since a socket would otherwise hide seconds of old pictures.
/// </summary>
internal sealed class ViewerClient(WebSocket socket, TimeProvider time) : IDisposable
{
    public const int Window = 4;
    private const int LongestMessage = 256;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private readonly Lock _gate = new();
    private readonly SemaphoreSlim _signal = new(0);
    private EncodedPicture? _picture;
    private byte[]? _state;
    private byte[]? _pong;
    private bool _closed;
    private volatile bool _stopping;
    private long _sent;
    private long _got;
    private long _skipped;

    /// <summary>Pictures that were overtaken before they could be sent.</summary>
    public long Skipped => Interlocked.Read(ref _skipped);

    /// <summary>Takes the caller's reference.</summary>
    public void Offer(EncodedPicture picture)
    {
        EncodedPicture? overtaken;
        lock (_gate)
        {
            overtaken = _closed ? picture : _picture;
            if (!_closed)
                _picture = picture;
        }

        if (overtaken is not null)
        {
            Interlocked.Increment(ref _skipped);
            overtaken.Dispose();
        }

        Wake();
    }

    public void Tell(byte[] state)
    {
        lock (_gate)
            _state = state;
        Wake();
    }

    /// <summary>Says goodbye; <see cref="RunAsync"/> ends.</summary>
    public void Stop()
    {
        _stopping = true;
        Wake();
    }

    /// <summary>Serves the page until it leaves, fails or is stopped. Throws nothing.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var receiving = ReceiveAsync(ended);
        try
        {
            await SendAsync(ended.Token);
        }
        catch (Exception e) when (e is OperationCanceledException or WebSocketException or IOException or ObjectDisposedException)
        {
            // The page has gone, or hangs: either way it is over.
        }

        lock (_gate)
        {
            _closed = true;
            _picture?.Dispose();
            _picture = null;
        }

        await GoodbyeAsync(receiving);
    }

    public void Dispose() => _signal.Dispose();

    private async Task SendAsync(CancellationToken ended)
    {
        while (!_stopping)
        {
            await _signal.WaitAsync(ended);
            while (Next() is { } next)
            {
                using (next.Picture)
                using (var patience = new CancellationTokenSource(Patience, time))
                using (patience.Token.Register(socket.Abort))
                {
                    // Not cancelled by the end: a message that is cut in two is no goodbye.
                    var type = next.Picture is null ? WebSocketMessageType.Text : WebSocketMessageType.Binary;
                    await socket.SendAsync(next.Message, type, true, CancellationToken.None);
                }

                ended.ThrowIfCancellationRequested();
            }
        }
    }

    private (ReadOnlyMemory<byte> Message, EncodedPicture? Picture)? Next()
    {
        lock (_gate)
        {
            if ((_pong ?? _state) is { } text)
            {
                if (_pong is not null)
                    _pong = null;
                else
                    _state = null;
                return (text, null);
            }

            if (_picture is not { } picture || _sent - _got >= Window)
                return null;
            _picture = null;
            _sent++;
            return (picture.Message, picture);
        }
    }

    private async Task ReceiveAsync(CancellationTokenSource ended)
    {
        var buffer = new byte[LongestMessage];
        try
        {
            while (true)
            {
                var message = await socket.ReceiveAsync(buffer.AsMemory(), CancellationToken.None);
                if (message.MessageType != WebSocketMessageType.Text || !message.EndOfMessage || !Hear(buffer.AsSpan(0, message.Count)))
                    break;
            }
        }
        catch (Exception e) when (e is WebSocketException or IOException or OperationCanceledException or ObjectDisposedException)
        {
            // The page has gone.
        }

        await ended.CancelAsync();
    }

    /// <summary>Reads {"got": pictures received} or {"ping": any number}; false for anything else.</summary>
    private bool Hear(ReadOnlySpan<byte> message)
    {
        try
        {
            var reader = new Utf8JsonReader(message);
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject || !reader.Read() || reader.TokenType != JsonTokenType.PropertyName)
                return false;
            var got = reader.ValueTextEquals("got"u8);
            if ((!got && !reader.ValueTextEquals("ping"u8)) || !reader.Read() || reader.TokenType != JsonTokenType.Number || !reader.TryGetDouble(out var value))
                return false;
            lock (_gate)
            {
                if (got)
                    _got = Math.Clamp((long)value, _got, _sent);
                else
                    _pong = JsonSerializer.SerializeToUtf8Bytes(new("pong", value, ViewerSink.UnixMs(time)), ViewerJson.Default.PongMessage);
            }

            Wake();
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private async Task GoodbyeAsync(Task receiving)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(1));
        try
        {
            var (status, why) = _stopping
                ? (WebSocketCloseStatus.EndpointUnavailable, "the receiver stops")
                : (WebSocketCloseStatus.NormalClosure, "");
            if (socket.State is WebSocketState.Open or WebSocketState.CloseReceived)
                await socket.CloseOutputAsync(status, why, patience.Token);
            await receiving.WaitAsync(patience.Token);
        }
        catch (Exception e) when (e is OperationCanceledException or WebSocketException or IOException or ObjectDisposedException)
        {
            socket.Abort();
        }
    }

    private void Wake()
    {
        if (_signal.CurrentCount == 0)
            _signal.Release();
    }
}
