using CmvcStream.Core.Media;
using CmvcStream.Protos;
using CmvcStream.Receiver.Regenerate;
using CmvcStream.Receiver.Viewer;
using CmvcStream.Transport;

namespace CmvcStream.Receiver;

/// <summary>Takes one sender after another: greets it, reads and decodes its packets, and presents until everything was shown.</summary>
internal sealed class SessionHost(ReceiveOptions options, ReceiverState state, ViewerServer? viewer, TextWriter output, Action<string> report) : IDisposable
{
    /// <summary>Largest picture that a sender may announce.</summary>
    private const int MaxSide = 1920;

    private readonly TaskCompletionSource _first = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly SemaphoreSlim _presenting = new(1);
    private readonly List<IFrameSink> _firstSinks = SessionSinks.Create(options, 1, output, report);
    private int _sessions;

    /// <summary>Ends when the first session has been presented whole.</summary>
    public Task First => _first.Task;

    public void Dispose() => _presenting.Dispose();

    public async Task ServeAsync(ISession<ReceiverMessage, SenderMessage> session, CancellationToken cancellationToken)
    {
        await using var messages = session.ReceiveAsync(cancellationToken).GetAsyncEnumerator(cancellationToken);
        if (!await messages.MoveNextAsync())
            return;
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
            presenting = true;
            var shown = PresentAsync(presentation, scene);
            using var reader = new SessionReader(session, scene, presentation, state, size, rate, report);
            await reader.GreetAsync(options, cancellationToken);
            try
            {
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
            await presentation.RunAsync(CancellationToken.None);
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
        report($"refused a sender: {why}");
        throw new TransportException(TransportError.Protocol, why);
    }
}
