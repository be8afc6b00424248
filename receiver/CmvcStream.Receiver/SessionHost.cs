using CmvcStream.Core.Media;
using CmvcStream.Protos;
using CmvcStream.Receiver.Networks;
using CmvcStream.Receiver.Viewer;
using CmvcStream.Transport;

namespace CmvcStream.Receiver;

/// <summary>
/// Takes one sender after another. A sender that comes back goes on with its stream; another one takes its place only when the first is gone
/// or silent.
/// </summary>
internal sealed class SessionHost(ReceiveOptions options, ReceiverState state, ViewerServer? viewer, RegenerationNetworks networks, TextWriter output, Action<string> report) : IAsyncDisposable
{
    /// <summary>Largest picture that a sender may announce.</summary>
    private const int MaxSide = 1920;

    /// <summary>When the program is stopped, sinks have this long to write out what was presented.</summary>
    private static readonly TimeSpan Farewell = TimeSpan.FromSeconds(6);

    private readonly TaskCompletionSource _first = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly SemaphoreSlim _choosing = new(1);
    private readonly List<IFrameSink> _firstSinks = SessionSinks.Create(options, 1, output, report);
    private readonly CancellationTokenSource _stop = new();
    private ReceivedStream? _stream;
    private int _streams;

    /// <summary>Who connects and does not say hello within this keeps the next sender out no longer.</summary>
    public TimeSpan HelloPatience { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>A sender whose connection broke may come back for so long; then its stream is over.</summary>
    public TimeSpan ResumePatience { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>A sender that is connected and says nothing for this long does not keep another one out.</summary>
    public TimeSpan SilencePatience { get; init; } = ReceiverState.Silent;

    /// <summary>Ends when the first stream has been presented whole.</summary>
    public Task First => _first.Task;

    /// <summary>Stops presenting; what was presented is still written out.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        if (_stream is { } stream)
            await Task.WhenAny(stream.Presented, Task.Delay(Farewell));
        _choosing.Dispose();
        _stop.Dispose();
    }

    public async Task ServeAsync(ISession<ReceiverMessage, SenderMessage> session, CancellationToken cancellationToken)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        over.CancelAfter(HelloPatience);
        await using var messages = session.ReceiveAsync(over.Token).GetAsyncEnumerator(over.Token);
        try
        {
            if (!await messages.MoveNextAsync())
                return;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw Refusal($"no hello within {HelloPatience.TotalSeconds:0} s");
        }

        over.CancelAfter(Timeout.InfiniteTimeSpan);
        var stream = await ChooseAsync(session, Check(messages.Current.Hello), cancellationToken);
        await stream.ServeAsync(session, messages, over);
        if (!stream.Over)
            _ = GiveUpAsync(stream);
    }

    /// <summary>The stream that a hello is of: the one that is there, or a new one.</summary>
    private async Task<ReceivedStream> ChooseAsync(ISession<ReceiverMessage, SenderMessage> session, Hello hello, CancellationToken cancellationToken)
    {
        await _choosing.WaitAsync(cancellationToken);
        try
        {
            if (_stream is { } current)
            {
                if (current.IsOf(hello))
                    return current;
                if (!current.Over && current.Connected && current.Silence < SilencePatience)
                    throw new TransportException(TransportError.Busy, "another sender is being received; a receiver serves one at a time");
                current.Finish("another sender has come");
                // The last stream's rest is shown before a new one begins.
                await current.Presented.WaitAsync(cancellationToken);
            }

            var number = ++_streams;
            report($"sender {session.Peer} shows {hello.Source.Name}, {hello.Source.Width}x{hello.Source.Height}");
            var sinks = number == 1 ? _firstSinks : SessionSinks.Create(options, number, output, report);
            var stream = new ReceivedStream(options, hello, state, sinks, viewer?.Sink, networks, report, _stop.Token);
            _ = stream.Presented.ContinueWith(_ => _first.TrySetResult(), TaskScheduler.Default);
            _stream?.Dispose();
            return _stream = stream;
        }
        finally
        {
            _choosing.Release();
        }
    }

    private async Task GiveUpAsync(ReceivedStream stream)
    {
        try
        {
            while (!stream.Over && !stream.Connected && stream.Silence < ResumePatience)
                await Task.Delay(TimeSpan.FromMilliseconds(Math.Clamp((ResumePatience - stream.Silence).TotalMilliseconds, 1, 500)), _stop.Token);
            if (!stream.Connected)
                stream.Finish($"the sender has not come back for {ResumePatience.TotalSeconds:0} s");
        }
        catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
        {
            // The receiver stops.
        }
    }

    private Hello Check(Hello? hello)
    {
        var why = hello is null ? "the first message has no hello" : ProtocolVersions.WhyIncompatible(hello.Version);
        if (why is null && (hello!.Source is not { } s || s.Width is < 16 or > MaxSide || s.Height is < 16 or > MaxSide))
            why = $"picture size {hello.Source?.Width}x{hello.Source?.Height} is out of range: each side is 16 to {MaxSide} pixels; use --size";
        if (why is null && hello!.Source is { } source && (source.TickRate is 0 or > 1_000_000 || source.TickScale is 0 or > 1_000_000
            || (double)source.TickRate / source.TickScale is < 0.1 or > 240))
            why = $"frame rate {source.TickRate}/{source.TickScale} is out of range: 0.1 to 240 a second; use --fps";
        if (why is null)
            return hello!;
        throw Refusal(why);
    }

    private TransportException Refusal(string why)
    {
        report($"refused a sender: {why}");
        return new(TransportError.Protocol, why);
    }
}
