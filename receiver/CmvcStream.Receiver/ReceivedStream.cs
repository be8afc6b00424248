using System.Diagnostics;
using CmvcStream.Core.Media;
using CmvcStream.Protos;
using CmvcStream.Receiver.Networks;
using CmvcStream.Receiver.Regenerate;
using CmvcStream.Receiver.Viewer;
using CmvcStream.Transport;

namespace CmvcStream.Receiver;

/// <summary>
/// What a sender shows, over however many connections: its scene, and the presentation of it. A connection that breaks leaves it as it is, the
/// last picture held, until the sender is back (<see cref="ServeAsync"/> again), says that its source has ended, or is given up.
/// </summary>
internal sealed class ReceivedStream : IDisposable
{
    private readonly ReceiveOptions _options;
    private readonly ReceiverState _state;
    private readonly Action<string> _report;
    private readonly SceneState _scene = new();
    private readonly Presentation _presentation;
    private readonly SceneReader _reader;
    private readonly Task<(KeyframeRestorer? Restorer, FrameRefiner? Refiner)> _networks;
    private readonly FrameRate _rate;
    private readonly PixelSize _size;
    private readonly long _began = Stopwatch.GetTimestamp();
    private readonly Lock _gate = new();
    private readonly SemaphoreSlim _turn = new(1);
    private CancellationTokenSource? _connection;
    private long _heard = Environment.TickCount64;
    private int _connections, _errors;
    private bool _givenUp;

    /// <param name="options">The receiver's.</param>
    /// <param name="hello">The sender's first.</param>
    /// <param name="state">Is told of everything.</param>
    /// <param name="sinks">Take the presented frames.</param>
    /// <param name="viewer">Takes them too, if there is one.</param>
    /// <param name="networks">What may regenerate.</param>
    /// <param name="report">Takes a message for the user.</param>
    /// <param name="stop">Stops the presentation; what was presented is still written out.</param>
    public ReceivedStream(ReceiveOptions options, Hello hello, ReceiverState state, List<IFrameSink> sinks, ViewerSink? viewer, RegenerationNetworks networks, Action<string> report, CancellationToken stop)
    {
        (_options, Hello, _state, _report) = (options, hello, state, report);
        _size = new((int)hello.Source.Width, (int)hello.Source.Height);
        _rate = new((int)hello.Source.TickRate, (int)hello.Source.TickScale);
        // Opening networks takes a while: meanwhile the sender is welcomed. The first keyframe waits for it, the presentation then finds it done.
        var chosen = _networks = Task.Run(() => Choose(networks));
        _presentation = new(options, _scene, new ImageTextRegenerator(_scene, _size, options.LowLatency, () => chosen.Result.Refiner), _size, state, sinks, viewer, report);
        _reader = new(_scene, _size, _rate, keyframe =>
        {
            if (keyframe.Restoring is { } took)
                state.RestoreTime.Add(took.TotalMilliseconds);
            state.Network = Describe(chosen.Result);
            state.Decoded(keyframe.Coded, _size);
            state.DecodeTime.Add(keyframe.Took.TotalMilliseconds);
            _presentation.KeyframeArrived(keyframe.Pts);
        }, Complain, hello.OriginTick, () => chosen.Result.Restorer);
        state.Payload = _reader.Packets.Payload;
        Presented = PresentAsync(stop);
    }

    /// <summary>The first; later ones of the same sender say the same of the source.</summary>
    public Hello Hello { get; }

    /// <summary>Ends when everything was presented and written out.</summary>
    public Task Presented { get; }

    /// <summary>It has ended or was given up: nobody can go on with it.</summary>
    public bool Over => _scene.End is not null;

    /// <summary>How long nothing has come.</summary>
    public TimeSpan Silence => TimeSpan.FromMilliseconds(Environment.TickCount64 - Volatile.Read(ref _heard));

    /// <summary>A connection of the sender is open.</summary>
    public bool Connected
    {
        get
        {
            lock (_gate)
                return _connection is not null;
        }
    }

    /// <summary>Whether a hello is of the same stream: also of one that has ended, when its sender has not heard that we know.</summary>
    public bool IsOf(Hello hello) => !_givenUp && hello.Sender != 0 && hello.Sender == Hello.Sender && hello.Source.Equals(Hello.Source);

    /// <summary>
    /// Serves a connection until it ends. A fresh one beside another is welcomed, and takes its place with the first message after the hello: a
    /// sender that tries several says so which of them it goes on with.
    /// </summary>
    /// <param name="session">The sender.</param>
    /// <param name="messages">What it says, at the message with the hello.</param>
    /// <param name="over">Cancelled when the connection is gone; and from here when a fresh one takes its place.</param>
    public async Task ServeAsync(ISession<ReceiverMessage, SenderMessage> session, IAsyncEnumerator<SenderMessage> messages, CancellationTokenSource over)
    {
        var lost = "the sender left without saying that its source has ended";
        try
        {
            var resumed = Interlocked.Increment(ref _connections) > 1;
            var reader = new SessionReader(session, _reader, _state, Take);
            await reader.GreetAsync(new() { Version = ProtocolVersions.Current, Smooth = !_options.LowLatency, Resumed = resumed, Keyframe = _reader.LastDecoded }, over.Token);
            if (resumed && !await messages.MoveNextAsync())
                return;
            TakeOver(over);
            await _turn.WaitAsync(over.Token);   // the last connection's messages are read to the end
            try
            {
                if (!Over)
                    _state.Begin(Hello, session, resumed);
                if (resumed)
                    _report($"sender {session.Peer} is back");
                await reader.ReadAsync(messages, over.Token);
            }
            finally
            {
                _turn.Release();
            }
        }
        catch (OperationCanceledException)
        {
            lost = "the connection ended before the source did";
        }
        catch (TransportException e)
        {
            lost = e.Message;
        }
        catch (Exception e)
        {
            lost = $"{e.GetType().Name}: {e.Message}";
            throw;
        }
        finally
        {
            if (Leave(over) && !Over)
                Lost(lost);
        }
    }

    /// <summary>The sender does not come back: what has arrived is all that there is.</summary>
    public void Finish(string why)
    {
        lock (_gate)
        {
            if (Over)
                return;
            _givenUp = true;
            _scene.SetEnd(_scene.Newest is { } newest ? newest + MediaTime.FromTicks(1, _rate) : MediaTime.Zero);
        }

        _report($"the stream is over: {why}");
        _presentation.Wake();
    }

    public void Dispose()
    {
        _reader.Dispose();
        _turn.Dispose();
        // Those that nothing has asked for yet.
        _networks.ContinueWith(static chosen =>
        {
            chosen.Result.Restorer?.Dispose();
            chosen.Result.Refiner?.Dispose();
        }, TaskScheduler.Default);
    }

    private (KeyframeRestorer? Restorer, FrameRefiner? Refiner) Choose(RegenerationNetworks networks)
    {
        try
        {
            var chosen = (networks.Restorer(_size), networks.Refiner(_size, _options.Fps));
            _state.Network = Describe(chosen);
            if (_state.Network is { } network)
                _report($"regenerates with {network}");
            return chosen;
        }
        catch (Exception e)
        {
            _report($"no networks: {e.GetType().Name}: {e.Message}");
            return default;
        }
    }

    private static string? Describe((KeyframeRestorer? Restorer, FrameRefiner? Refiner) chosen) =>
        string.Join(", ", new[] { chosen.Restorer?.Network, chosen.Refiner?.Network }.OfType<string>()) is { Length: > 0 } names ? names : null;

    private async Task PresentAsync(CancellationToken stop)
    {
        try
        {
            await _presentation.RunAsync(stop);
        }
        catch (Exception e)
        {
            _report($"presentation failed: {e.Message}");
        }
        finally
        {
            _presentation.Dispose();
            _scene.Dispose();
        }
    }

    private void TakeOver(CancellationTokenSource over)
    {
        lock (_gate)
        {
            // Whoever owns it takes it out of here before it is disposed.
            _connection?.Cancel();
            _connection = over;
        }
    }

    /// <summary>False: another connection has taken its place, or it never was the one.</summary>
    private bool Leave(CancellationTokenSource over)
    {
        lock (_gate)
        {
            if (_connection != over)
                return false;
            _connection = null;
            return true;
        }
    }

    private void Lost(string why)
    {
        if (Silence is { TotalSeconds: > 10 } silence)
            why += $"; nothing was heard from it for {silence.TotalSeconds:0} s";
        _report($"sender lost: {why}");
        _state.Lost(why);
    }

    private void Take(SenderMessage message)
    {
        Volatile.Write(ref _heard, Environment.TickCount64);
        _state.Heard();
        if (Over)
            return;
        foreach (var text in message.Text)
            _state.Text(text, MediaTime.FromTicks((long)text.Tick - Hello.OriginTick, _rate));
        _reader.Read(message, new(Stopwatch.GetElapsedTime(_began).Ticks / TimeSpan.TicksPerMicrosecond));
        if (message.Control is not { } control)
            return;
        if (control.EpochUs != 0)
            _presentation.Epoch = new MediaTime((long)control.EpochUs) + MediaTime.FromTicks(Hello.OriginTick, _rate);
        if (control.Mode != StreamMode.Unspecified)
            _state.Switched(control.Mode);
        _state.Trouble = control.SourceTrouble.Length > 0 ? control.SourceTrouble : null;
        if (control.End)
        {
            _state.Ended();
            _presentation.Wake();
        }
    }

    /// <summary>The first few faults are told one by one, then every hundredth.</summary>
    private void Complain(string what)
    {
        if (++_errors <= 5 || _errors % 100 == 0)
            _report($"{what} ({_errors} faults so far)");
    }
}
