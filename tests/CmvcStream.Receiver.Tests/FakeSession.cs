using System.Runtime.CompilerServices;
using System.Threading.Channels;
using CmvcStream.Protos;
using CmvcStream.Transport;

namespace CmvcStream.Receiver.Tests;

/// <summary>A sender that says what the test tells it to, without a network.</summary>
internal sealed class FakeSession : ISession<ReceiverMessage, SenderMessage>
{
    private readonly Channel<SenderMessage> _says = Channel.CreateUnbounded<SenderMessage>();
    private readonly Channel<ReceiverMessage> _heard = Channel.CreateUnbounded<ReceiverMessage>();

    public string Peer => "fake";

    public WireCounters Wire => default;

    /// <summary>The sender is gone: whatever is sent to it fails.</summary>
    public bool Gone { get; init; }

    public static Hello Hello(uint major = 2, uint side = 64, uint tickRate = 15, ulong sender = 0) => new()
    {
        Sender = sender,
        Version = new() { Major = major },
        Source = new() { Name = "test", Width = side, Height = side, TickRate = tickRate, TickScale = 1 },
    };

    public FakeSession Say(SenderMessage message)
    {
        _says.Writer.TryWrite(message);
        return this;
    }

    public FakeSession Leave()
    {
        _says.Writer.TryComplete();
        return this;
    }

    /// <summary>The next thing that the receiver says of this kind.</summary>
    public async Task<ReceiverMessage> HearAsync(Func<ReceiverMessage, bool> kind)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (true)
        {
            var message = await _heard.Reader.ReadAsync(patience.Token);
            if (kind(message))
                return message;
        }
    }

    public Task SendAsync(ReceiverMessage message, CancellationToken cancellationToken)
    {
        if (Gone)
            throw new TransportException(TransportError.Broken, "the connection broke");
        _heard.Writer.TryWrite(message);
        return Task.CompletedTask;
    }

    public async IAsyncEnumerable<SenderMessage> ReceiveAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var message in _says.Reader.ReadAllAsync(cancellationToken))
            yield return message;
    }

    public Task CompleteAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
