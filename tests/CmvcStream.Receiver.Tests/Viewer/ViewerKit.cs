using System.Buffers;
using System.Buffers.Binary;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using CmvcStream.Core.Media;
using CmvcStream.Receiver.Tests.Present;
using CmvcStream.Receiver.Viewer;

namespace CmvcStream.Receiver.Tests.Viewer;

/// <summary>State that a test sets.</summary>
internal sealed class FakeState : IViewerState
{
    private ViewerSnapshot _now = new() { Phase = StreamPhase.Connected, Listen = "http://127.0.0.1:9000", Fps = 30 };

    public ViewerSnapshot Now
    {
        get => Volatile.Read(ref _now);
        set => Volatile.Write(ref _now, value);
    }

    public ViewerSnapshot Snapshot() => Now;
}

/// <summary>"Encodes" a picture to a run of its first luma value.</summary>
internal sealed class FakeEncoder(int length = 100) : IPictureEncoder
{
    private int _calls;

    public int Calls => Volatile.Read(ref _calls);

    public int Encode(VideoFrame frame, int quality, IBufferWriter<byte> output)
    {
        Interlocked.Increment(ref _calls);
        output.GetSpan(length)[..length].Fill(frame.Y.Row(0)[0]);
        output.Advance(length);
        return length;
    }
}

/// <summary>A viewer server on a free port, and what to feed it with.</summary>
internal sealed class ViewerHost : IAsyncDisposable
{
    public required FakeState State { get; init; }

    public required ViewerServer Server { get; init; }

    public static async Task<ViewerHost> StartAsync(IPictureEncoder? encoder = null, Func<ViewerOptions, ViewerOptions>? change = null, FakeState? state = null, int port = 0)
    {
        state ??= new();
        var options = ViewerOptions.Parse($"http://127.0.0.1:{port}");
        var server = await ViewerServer.StartAsync(change?.Invoke(options) ?? options, state, encoder ?? new FakeEncoder(), TimeProvider.System, CancellationToken.None);
        return new() { Server = server, State = state };
    }

    public void Present(long number, Provenance provenance = Provenance.Transmitted, PixelSize? size = null)
    {
        using var frame = TestFrames.Make(number, provenance, size);
        Server.Sink.Present(frame);
    }

    public async Task<LiveClient> ConnectAsync(string query = "", Action<ClientWebSocketOptions>? configure = null)
    {
        var socket = new ClientWebSocket();
        configure?.Invoke(socket.Options);
        var url = new UriBuilder(Server.Url) { Scheme = "ws", Path = "/live", Query = query }.Uri;
        await socket.ConnectAsync(url, CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(10));
        return new(socket);
    }

    public ValueTask DisposeAsync() => Server.DisposeAsync();
}

/// <summary>A picture message as a page reads it.</summary>
internal sealed record LivePicture(int Version, Provenance Provenance, int Width, int Height, long Number, long PtsUs, double PresentedMs, byte[] Picture);

/// <summary>Speaks the page's side of the WebSocket.</summary>
internal sealed class LiveClient(ClientWebSocket socket) : IAsyncDisposable
{
    private readonly byte[] _buffer = new byte[1 << 20];

    public ClientWebSocket Socket => socket;

    public int Received { get; private set; }

    /// <summary>The next message: <see cref="LivePicture"/>, a state or pong as <see cref="JsonElement"/>, or null when the server has closed.</summary>
    public async Task<object?> ReadAsync()
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        var length = 0;
        while (true)
        {
            var part = await socket.ReceiveAsync(_buffer.AsMemory(length), patience.Token);
            length += part.Count;
            if (part.MessageType == WebSocketMessageType.Close)
                return null;
            if (!part.EndOfMessage)
                continue;
            if (part.MessageType == WebSocketMessageType.Text)
                return JsonDocument.Parse(_buffer.AsMemory(0, length)).RootElement.Clone();
            Received++;
            return Parse(_buffer.AsSpan(0, length));
        }
    }

    public async Task<LivePicture> PictureAsync()
    {
        while (true)
        {
            switch (await ReadAsync())
            {
                case LivePicture picture:
                    return picture;
                case null:
                    throw new InvalidOperationException("the server has closed");
            }
        }
    }

    public async Task<JsonElement> TextAsync(string type)
    {
        while (true)
        {
            switch (await ReadAsync())
            {
                case JsonElement message when message.GetProperty("type").GetString() == type:
                    return message;
                case null:
                    throw new InvalidOperationException("the server has closed");
            }
        }
    }

    public Task ConfirmAsync() => SayAsync($$"""{"got": {{Received}}}""");

    public Task SayAsync(string text) =>
        socket.SendAsync(Encoding.UTF8.GetBytes(text), WebSocketMessageType.Text, true, CancellationToken.None);

    public ValueTask DisposeAsync()
    {
        socket.Dispose();
        return ValueTask.CompletedTask;
    }

    private static LivePicture Parse(ReadOnlySpan<byte> message) => new(
        message[0], (Provenance)message[1],
        BinaryPrimitives.ReadUInt16LittleEndian(message[4..]), BinaryPrimitives.ReadUInt16LittleEndian(message[6..]),
        BinaryPrimitives.ReadInt64LittleEndian(message[8..]), BinaryPrimitives.ReadInt64LittleEndian(message[16..]),
        BinaryPrimitives.ReadDoubleLittleEndian(message[24..]), message[32..].ToArray());
}
