using CmvcStream.Core.Media;
using CmvcStream.Protos;
using CmvcStream.Receiver.Regenerate;
using CmvcStream.Receiver.Viewer;
using CmvcStream.Transport;

namespace CmvcStream.Receiver;

/// <summary>Takes one sender after another: greets it, reads and decodes its packets, and presents until everything was shown.</summary>
internal sealed class SessionHost(ReceiveOptions options, ReceiverState state, ViewerServer? viewer, TextWriter output, Action<string> report) : IAsyncDisposable
{
    /// <summary>Largest picture that a sender may announce.</summary>
    private const int MaxSide = 1920;

    /// <summary>When the program is stopped, sinks have this long to write out what was presented.</summary>
    private static readonly TimeSpan Farewell = TimeSpan.FromSeconds(6);

    private readonly TaskCompletionSource _first = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly SemaphoreSlim _presenting = new(1);
    private readonly List<IFrameSink> _firstSinks = SessionSinks.Create(options, 1, output, report);
    private readonly CancellationTokenSource _stop = new();
    private int _sessions;

    /// <summary>Who connects and does not say hello within this keeps the next sender out no longer.</summary>
    public TimeSpan HelloPatience { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Ends when the first session has been presented whole.</summary>
    public Task First => _first.Task;

    /// <summary>Stops presenting; what was presented is still written out.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _presenting.WaitAsync(Farewell);
        _presenting.Dispose();
        _stop.Dispose();
    }

    public async Task ServeAsync(ISession<ReceiverMessage, SenderMessage> session, CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(HelloPatience);
        await using var messages = session.ReceiveAsync(patience.Token).GetAsyncEnumerator(patience.Token);
        try
        {
            if (!await messages.MoveNextAsync())
                return;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw Refusal($"no hello within {HelloPatience.TotalSeconds:0} s");
        }

        patience.CancelAfter(Timeout.InfiniteTimeSpan);
        var began = System.Diagnostics.Stopwatch.GetTimestamp();
        var hello = Check(messages.Current.Hello);
        // The last session's rest is shown before a new one begins.
        await _presenting.WaitAsync(cancellationToken);
        var presenting = false;
        try
        {
            var number = Interlocked.Increment(ref _sessions);
            report($"sender {session.Peer} shows {hello.Source.Name}, {hello.Source.Width}x{hello.Source.Height}");
            state.Begin(hello, session);
            var size = new PixelSize((int)hello.Source.Width, (int)hello.Source.Height);
            var rate = new FrameRate((int)hello.Source.TickRate, (int)hello.Source.TickScale);
            var scene = new SceneState();
            var presentation = new Presentation(options, scene, new ImageTextRegenerator(scene, size, options.LowLatency), size, state, number == 1 ? _firstSinks : SessionSinks.Create(options, number, output, report), viewer?.Sink, report);
            using var reader = new SessionReader(session, scene, presentation, state, size, rate, began, report);
            presenting = true;
            var shown = PresentAsync(presentation, scene);
            try
            {
                await reader.GreetAsync(options, cancellationToken);
                await reader.ReadAsync(messages, cancellationToken);
            }
            catch (OperationCanceledException)
            {
                reader.Lost("the connection ended before the source did");
            }
            catch (TransportException e)
            {
                reader.Lost(e.Message);
            }
            catch (Exception e)
            {
                // Whatever it was, the presentation must come to its end, or the next sender waits for ever.
                reader.Lost($"{e.GetType().Name}: {e.Message}");
                throw;
            }

            if (options.Once)
                await shown;
        }
        finally
        {
            if (!presenting)
                _presenting.Release();
        }
    }

    private async Task PresentAsync(Presentation presentation, SceneState scene)
    {
        try
        {
            await presentation.RunAsync(_stop.Token);
        }
        catch (Exception e)
        {
            report($"presentation failed: {e.Message}");
        }
        finally
        {
            presentation.Dispose();
            scene.Dispose();
            _presenting.Release();
            _first.TrySetResult();
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
