using System.Net.WebSockets;
using System.Text.Json;

namespace CmvcStream.Receiver.Tests.Viewer;

/// <summary>
/// The remote end of a browser that speaks WebDriver BiDi (https://w3c.github.io/webdriver-bidi/): one command at a time, each with a
/// limit. Events are heard while an answer is waited for.
/// </summary>
internal sealed class BiDiSession : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);
    private readonly ClientWebSocket _socket = new();
    private readonly Action<string, JsonElement> _heard;
    private int _commands;

    private BiDiSession(Action<string, JsonElement> heard) => _heard = heard;

    /// <param name="address">Where the browser says that it listens.</param>
    /// <param name="heard">Told the method and the parameters of each event.</param>
    public static async Task<BiDiSession> StartAsync(Uri address, Action<string, JsonElement> heard)
    {
        var session = new BiDiSession(heard);
        try
        {
            using var limit = new CancellationTokenSource(Limit);
            await session._socket.ConnectAsync(new(address, "/session"), limit.Token);
            await session.SendAsync("session.new", new { capabilities = new { } });
            return session;
        }
        catch
        {
            session.Dispose();
            throw;
        }
    }

    /// <summary>The answer to a command.</summary>
    /// <exception cref="InvalidOperationException">The browser refuses it, or has gone.</exception>
    /// <exception cref="TimeoutException">No answer came; the session is over.</exception>
    public async Task<JsonElement> SendAsync(string method, object parameters)
    {
        using var limit = new CancellationTokenSource(Limit);
        try
        {
            var id = ++_commands;
            var command = JsonSerializer.SerializeToUtf8Bytes(new { id, method, @params = parameters });
            await _socket.SendAsync(command, WebSocketMessageType.Text, true, limit.Token);
            while (true)
            {
                var message = await ReadAsync(limit.Token);
                if (message.TryGetProperty("id", out var answered) && answered.TryGetInt32(out var of) && of == id)
                    return message.TryGetProperty("result", out var result) ? result : throw new InvalidOperationException($"{method}: {message}");
                if (message.TryGetProperty("method", out var happened))
                    _heard(happened.GetString()!, message.GetProperty("params"));
            }
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"{method}: no answer within {Limit.TotalSeconds} s");
        }
        catch (WebSocketException e)
        {
            throw new InvalidOperationException($"{method}: the browser has gone", e);
        }
    }

    public void Dispose() => _socket.Dispose();

    private async Task<JsonElement> ReadAsync(CancellationToken cancellationToken)
    {
        using var text = new MemoryStream();
        var part = new byte[1 << 16];
        while (true)
        {
            var got = await _socket.ReceiveAsync(part, cancellationToken);
            if (got.MessageType == WebSocketMessageType.Close)
                throw new WebSocketException(WebSocketError.ConnectionClosedPrematurely);
            text.Write(part, 0, got.Count);
            if (got.EndOfMessage)
                return JsonSerializer.Deserialize<JsonElement>(text.GetBuffer().AsSpan(0, (int)text.Length));
        }
    }
}
