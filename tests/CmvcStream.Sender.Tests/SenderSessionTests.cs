using System.Runtime.CompilerServices;
using System.Threading.Channels;
using CmvcStream.Protos;
using CmvcStream.Sender.Capture;
using CmvcStream.Transport;
using Xunit;

namespace CmvcStream.Sender.Tests;

public class SenderSessionTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Run_LinkTooSlowForTheRest_FailsWithTheReasonInsteadOfHanging()
    {
        var session = new FakeSession { Stuck = true };

        var error = await Assert.ThrowsAsync<TransportException>(() => RunAsync(session, TimeSpan.FromSeconds(1)).WaitAsync(Soon));

        Assert.Equal(TransportError.Broken, error.Error);
        Assert.Contains("could not be delivered", error.Message);
    }

    [Fact]
    public async Task Run_StoppedSource_SaysHelloFirstAndEndLast()
    {
        var session = new FakeSession();

        await RunAsync(session, Soon).WaitAsync(Soon);

        Assert.Equal(ProtocolVersions.Current, session.Sent[0].Hello.Version);
        Assert.All(session.Sent.Skip(1), m => Assert.Null(m.Hello));
        Assert.True(session.Sent[^1].Control.End);
        Assert.DoesNotContain(session.Sent.SkipLast(1), m => m.Control?.End ?? false);
        var keyframes = session.Sent.SelectMany(m => m.Keyframe).Where(k => k.Offset == 0).ToList();
        Assert.Equal(0u, keyframes[0].Base);
        Assert.Equal(session.Sent[^1].Control.CoveredTick, keyframes[^1].Tick + 1);
    }

    [Fact]
    public async Task Run_EndIsConfirmedLate_NothingFollowsIt()
    {
        var session = new FakeSession { Confirms = TimeSpan.FromSeconds(4) };   // two heartbeats

        await RunAsync(session, Soon).WaitAsync(Soon);

        Assert.True(session.Sent[^1].Control?.End);
    }

    private static async Task RunAsync(FakeSession session, TimeSpan farewell)
    {
        var options = new SendOptions("synthetic:street", new("http://127.0.0.1:9")) { MaxRate = new(50_000), Size = new(160, 90) };
        await using var source = FrameSources.Create(options.Source, new CaptureOptions { Box = options.Size });
        await source.StartAsync(CancellationToken.None);
        using var sender = new SenderSession(options, source, _ => throw new TransportException(TransportError.Unreachable, "nobody there"), new(TimeProvider.System), _ => { });
        using var stop = new CancellationTokenSource(TimeSpan.FromSeconds(2));
        await sender.RunAsync(session, farewell, stop.Token);
    }

    /// <summary>A receiver that takes everything, or nothing.</summary>
    private sealed class FakeSession : ISession<SenderMessage, ReceiverMessage>
    {
        private readonly Channel<ReceiverMessage> _says = Channel.CreateUnbounded<ReceiverMessage>();

        public bool Stuck { get; init; }

        /// <summary>So long after all was said the session ends.</summary>
        public TimeSpan Confirms { get; init; }

        public List<SenderMessage> Sent { get; } = [];

        public string Peer => "fake";

        public WireCounters Wire => default;

        public async Task SendAsync(SenderMessage message, CancellationToken cancellationToken)
        {
            if (Stuck)
                await Task.Delay(Timeout.Infinite, cancellationToken);
            Sent.Add(message);
            _says.Writer.TryWrite(new() { Report = new() { Sequence = message.Sequence, ArrivalMs = (uint)Environment.TickCount64, Received = (uint)Sent.Count } });
        }

        public async IAsyncEnumerable<ReceiverMessage> ReceiveAsync([EnumeratorCancellation] CancellationToken cancellationToken)
        {
            yield return new() { Welcome = new() { Version = ProtocolVersions.Current } };
            await foreach (var message in _says.Reader.ReadAllAsync(cancellationToken))
                yield return message;
        }

        public Task CompleteAsync(CancellationToken cancellationToken)
        {
            _ = Task.Delay(Confirms, CancellationToken.None).ContinueWith(_ => _says.Writer.TryComplete(), TaskScheduler.Default);
            return Task.CompletedTask;
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
