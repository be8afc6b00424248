using System.Runtime.CompilerServices;
using CmvcStream.Protos;
using CmvcStream.Transport;
using Xunit;

namespace CmvcStream.Sender.Tests;

public class ReceiverConnectionTests
{
    [Theory]
    [InlineData(1, 3, false)]
    [InlineData(1, 4, true)]
    [InlineData(6, 16, false)]  // at 1 kbit/s
    [InlineData(6, 19, true)]
    public async Task Run_Silence_FreshConnectionOnlyAfterThreeTimesWhatOneTakes(int opening, int silence, bool tried)
    {
        var fresh = new TaskCompletionSource();
        Connect connect = _ =>
        {
            fresh.TrySetResult();
            throw new TransportException(TransportError.Unreachable, "nobody there");
        };
        var connection = new ReceiverConnection(connect, () => new(), () => Seconds(silence), () => Seconds(1), () => Seconds(opening), _ => { })
        {
            Changed = (_, _) => { },
            Heard = _ => { },
        };
        using var stop = new CancellationTokenSource();

        var running = connection.RunAsync(new SilentSession(), () => false, stop.Token);

        if (tried)
            await fresh.Task.WaitAsync(Seconds(30));
        else
            await Assert.ThrowsAsync<TimeoutException>(() => fresh.Task.WaitAsync(Seconds(1)));
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
    }

    private static TimeSpan Seconds(int seconds) => TimeSpan.FromSeconds(seconds);

    /// <summary>A welcome, and nothing else.</summary>
    private sealed class SilentSession : ISession<SenderMessage, ReceiverMessage>
    {
        public string Peer => "fake";

        public WireCounters Wire => default;

        public Task SendAsync(SenderMessage message, CancellationToken cancellationToken) => Task.CompletedTask;

        public async IAsyncEnumerable<ReceiverMessage> ReceiveAsync([EnumeratorCancellation] CancellationToken cancellationToken)
        {
            yield return new() { Welcome = new() { Version = ProtocolVersions.Current } };
            await Task.Delay(Timeout.Infinite, cancellationToken);
        }

        public Task CompleteAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
