using System.Threading.Channels;
using CmvcStream.Protos;
using CmvcStream.Transport.Grpc;

namespace CmvcStream.Transport.Tests;

using ReceiverEnd = ISession<ReceiverMessage, SenderMessage>;
using SenderEnd = ISession<SenderMessage, ReceiverMessage>;

/// <summary>A receiver on a free port; the test serves its sessions by hand.</summary>
internal sealed class Pair : IAsyncDisposable
{
    private readonly Channel<ReceiverEnd> _sessions = Channel.CreateUnbounded<ReceiverEnd>();
    private readonly TaskCompletionSource _served = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<SenderEnd> _senders = [];
    private readonly Func<ReceiverEnd, CancellationToken, Task>? _serve;

    private Pair(Func<ReceiverEnd, CancellationToken, Task>? serve) => _serve = serve;

    public IListener Listener { get; private set; } = null!;

    public Uri Url => Listener.Url;

    public CancellationToken Patience { get; } = new CancellationTokenSource(TimeSpan.FromSeconds(30)).Token;

    /// <summary>Without <paramref name="serve"/> a session lives until <see cref="EndSession"/>.</summary>
    public static async Task<Pair> StartAsync(string? token = null, Func<ReceiverEnd, CancellationToken, Task>? serve = null)
    {
        var pair = new Pair(serve);
        pair.Listener = await new GrpcReceiverTransport().ListenAsync(new("http://127.0.0.1:0"), new(token), pair.ServeAsync, CancellationToken.None);
        return pair;
    }

    public async Task<SenderEnd> ConnectAsync(string? token = null)
    {
        var sender = await new GrpcSenderTransport().ConnectAsync(Url, new(token), Patience);
        _senders.Add(sender);
        return sender;
    }

    /// <summary>Both ends of a session, after the sender's first message.</summary>
    public async Task<(SenderEnd Sender, ReceiverEnd Receiver)> MeetAsync()
    {
        var sender = await ConnectAsync();
        await sender.SendAsync(Message(1), Patience);
        return (sender, await _sessions.Reader.ReadAsync(Patience));
    }

    public void EndSession() => _served.TrySetResult();

    public static SenderMessage Message(uint sequence) => new() { Sequence = sequence };

    public async ValueTask DisposeAsync()
    {
        _served.TrySetResult();
        foreach (var sender in _senders)
            await sender.DisposeAsync();
        await Listener.DisposeAsync();
    }

    private async Task ServeAsync(ReceiverEnd session, CancellationToken cancellationToken)
    {
        _sessions.Writer.TryWrite(session);
        await (_serve?.Invoke(session, cancellationToken) ?? _served.Task.WaitAsync(cancellationToken));
    }
}
