using System.Diagnostics;
using CmvcStream.Core.Media;
using CmvcStream.Protos;
using CmvcStream.Receiver.Regenerate;
using CmvcStream.Transport;

namespace CmvcStream.Receiver;

/// <summary>Holds the conversation with one sender: its pictures go to the scene, texts are noted, reports and requests sent back.</summary>
internal sealed class SessionReader : IDisposable
{
    /// <summary>How far ahead of real time a sender's source time may be: by more it is damaged, or the picture would never be shown.</summary>
    private static readonly MediaTime MaxAhead = MediaTime.FromSeconds(30);

    private readonly ISession<ReceiverMessage, SenderMessage> _session;
    private readonly SceneState _scene;
    private readonly Presentation _presentation;
    private readonly ReceiverState _state;
    private readonly FrameRate _rate;
    private readonly long _began;
    private readonly Action<string> _report;
    private readonly SceneReader _reader;
    private long _lastReport, _lastRequest, _heard = Environment.TickCount64;
    private int _errors;

    /// <param name="session">The sender.</param>
    /// <param name="scene">Takes keyframes.</param>
    /// <param name="presentation">Is told of them.</param>
    /// <param name="state">Is told of everything.</param>
    /// <param name="size">The source's.</param>
    /// <param name="rate">Ticks a second.</param>
    /// <param name="began">Timestamp of the sender's first message.</param>
    /// <param name="report">Takes a message for the user.</param>
    public SessionReader(ISession<ReceiverMessage, SenderMessage> session, SceneState scene, Presentation presentation, ReceiverState state,
        PixelSize size, FrameRate rate, long began, Action<string> report)
    {
        (_session, _scene, _presentation, _state, _rate, _began, _report) = (session, scene, presentation, state, rate, began, report);
        _reader = new(scene, size, rate, keyframe =>
        {
            state.Decoded(keyframe.Coded, size);
            state.DecodeTime.Add(keyframe.Took.TotalMilliseconds);
            presentation.KeyframeArrived(keyframe.Pts);
        }, Complain);
        state.Payload = _reader.Packets.Payload;
    }

    public Task GreetAsync(ReceiveOptions options, CancellationToken cancellationToken) => SendAsync(new()
    {
        Welcome = new() { Version = ProtocolVersions.Current, Smooth = !options.LowLatency },
    }, cancellationToken);

    public async Task ReadAsync(IAsyncEnumerator<SenderMessage> messages, CancellationToken cancellationToken)
    {
        _lastReport = Environment.TickCount64;
        do
        {
            Take(messages.Current);
            await AnswerAsync(cancellationToken);
        }
        while (await messages.MoveNextAsync());
        if (_scene.End is null)
            Lost("the sender left without saying that its source has ended");
    }

    /// <summary>The sender is gone; what has arrived is still shown.</summary>
    public void Lost(string why)
    {
        if (Environment.TickCount64 - _heard is var silence and > 10_000)
            why += $"; nothing was heard from it for {silence / 1000} s";
        _report($"sender lost: {why}");
        _state.Lost(why);
        if (_scene.End is null)
            _scene.SetEnd(_scene.Newest is { } newest ? newest + MediaTime.FromTicks(1, _rate) : MediaTime.Zero);
        _presentation.Wake();
    }

    public void Dispose() => _reader.Dispose();

    private void Take(SenderMessage message)
    {
        _heard = Environment.TickCount64;
        foreach (var text in message.Text)
            _state.Text(text, MediaTime.FromTicks(text.Tick, _rate));
        var real = new MediaTime(Stopwatch.GetElapsedTime(_began).Ticks / TimeSpan.TicksPerMicrosecond);
        _reader.Read(message, latest: real + MaxAhead);
        if (message.Control is not { } control)
            return;
        if (control.EpochUs != 0)
            _presentation.Epoch = new((long)control.EpochUs);
        _state.Trouble = control.SourceTrouble.Length > 0 ? control.SourceTrouble : null;
        if (control.End)
        {
            _state.Ended();
            _presentation.Wake();
        }
    }

    /// <summary>Reports come every 3 s or slower: they share the narrow link's other direction with acknowledgements.</summary>
    private async Task AnswerAsync(CancellationToken cancellationToken)
    {
        var now = Environment.TickCount64;
        if (_reader.Broken && now - _lastRequest > 2000)
        {
            _lastRequest = now;
            await SendAsync(new() { KeyframeRequest = new() { Reason = "a keyframe could not be decoded" } }, cancellationToken);
        }

        if (now - _lastReport < 3000)
            return;
        _lastReport = now;
        await SendAsync(new()
        {
            Report = new()
            {
                Sequence = _reader.Packets.Sequence,
                Keyframe = _reader.LastDecoded,
                ReceivedBytes = (ulong)_reader.Packets.Payload.Total,
                Presented = (uint)_state.Presented,
                Held = (uint)_state.Held,
            },
        }, cancellationToken);
    }

    private Task SendAsync(ReceiverMessage message, CancellationToken cancellationToken)
    {
        _state.Sent.Count(message);
        return _session.SendAsync(message, cancellationToken);
    }

    /// <summary>The first few faults are told one by one, then every hundredth.</summary>
    private void Complain(string what)
    {
        if (++_errors <= 5 || _errors % 100 == 0)
            _report($"{what} ({_errors} faults so far)");
    }
}
