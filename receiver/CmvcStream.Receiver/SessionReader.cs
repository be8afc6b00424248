using CmvcStream.Codecs.Av1;
using CmvcStream.Core.Codec;
using CmvcStream.Core.Control;
using CmvcStream.Core.Media;
using CmvcStream.Core.Motion;
using CmvcStream.Protos;
using CmvcStream.Receiver.Regenerate;
using CmvcStream.Transport;

namespace CmvcStream.Receiver;

/// <summary>Reads one sender's messages: keyframes are decoded and scaled up, motion decoded, texts noted, and reports sent back.</summary>
internal sealed class SessionReader : IDisposable
{
    /// <summary>How far ahead of real time a sender's source time may be: by more it is damaged, or the picture would never be shown.</summary>
    private static readonly MediaTime MaxAhead = MediaTime.FromSeconds(30);

    /// <summary>How long the last picture may be held before the source's end: the next sender waits for it.</summary>
    private static readonly MediaTime MaxHold = MediaTime.FromSeconds(10);

    private readonly ISession<ReceiverMessage, SenderMessage> _session;
    private readonly SceneState _scene;
    private readonly Presentation _presentation;
    private readonly ReceiverState _state;
    private readonly PixelSize _size;
    private readonly FrameRate _rate;
    private readonly long _began;
    private readonly Action<string> _report;
    private readonly PacketReader _packets = new();
    private readonly KeyframeReconstructor _reconstructor;
    private readonly List<Keyframe> _complete = [];
    private readonly Dictionary<uint, MotionCorrection[]> _motion = [];
    private readonly MotionCorrection[] _corrections = [.. Enumerable.Range(0, MotionCodec.MaxCount).Select(_ => new MotionCorrection())];
    private uint _lastDecoded;
    private bool _broken;
    private long _lastReport, _lastRequest;
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
        (_session, _scene, _presentation, _state, _size, _rate, _began, _report) = (session, scene, presentation, state, size, rate, began, report);
        _reconstructor = new(size, SceneState.Capacity);
        state.Payload = _packets.Payload;
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
        _report($"sender lost: {why}");
        _state.Lost(why);
        if (_scene.End is null)
            _scene.SetEnd(_scene.Newest is { } newest ? newest + MediaTime.FromTicks(1, _rate) : MediaTime.Zero);
        _presentation.Wake();
    }

    public void Dispose() => _reconstructor.Dispose();

    private void Take(SenderMessage message)
    {
        _complete.Clear();
        if (_packets.Read(message, _complete) is { } wrong)
            Break(wrong);
        foreach (var motion in message.Motion)
            ReadMotion(motion);
        foreach (var text in message.Text)
            _state.Text(text, MediaTime.FromTicks(text.Tick, _rate));
        foreach (var keyframe in _complete)
            Decode(keyframe);
        if (message.Control is { } control)
        {
            if (control.EpochUs != 0)
                _presentation.Epoch = new((long)control.EpochUs);
            _state.Trouble = control.SourceTrouble.Length > 0 ? control.SourceTrouble : null;
            if (control.End)
            {
                var (end, latest) = (MediaTime.FromTicks(control.CoveredTick, _rate), (_scene.Newest ?? MediaTime.Zero) + MaxHold);
                _scene.SetEnd(end < latest ? end : latest);
                _state.Ended();
                _presentation.Wake();
            }
        }
    }

    /// <summary>The latest source time that makes sense now.</summary>
    private MediaTime Latest => new MediaTime(System.Diagnostics.Stopwatch.GetElapsedTime(_began).Ticks / TimeSpan.TicksPerMicrosecond) + MaxAhead;

    private void Decode(Keyframe keyframe)
    {
        var pts = MediaTime.FromTicks(keyframe.Tick, _rate);
        if (pts < MediaTime.Zero || pts > Latest)
        {
            Break($"keyframe {keyframe.Index}: its time {pts} is far ahead of real time");
            return;
        }

        // Predicted from a keyframe that is not here, it would decode to something that the sender has never seen.
        if (keyframe is not { HasBase: true, Base: 0 } && keyframe.Index != _lastDecoded + 1)
        {
            Break($"keyframe {keyframe.Index}: the one before it is missing");
            return;
        }

        var began = System.Diagnostics.Stopwatch.GetTimestamp();
        VideoFrame picture;
        DecodedPicture coded;
        try
        {
            picture = _reconstructor.Reconstruct(keyframe.Data.Span, out coded);
        }
        catch (CodecException e)
        {
            Break($"keyframe {keyframe.Index}: {e.Message}");
            return;
        }

        if (keyframe.HasCheck && coded.Check(keyframe.Index, keyframe.Tick) is var check && check != keyframe.Check)
        {
            picture.Dispose();
            Break($"keyframe {keyframe.Index}: it decodes to another picture than the sender coded (check {check:x4}, the sender's {keyframe.Check:x4}): "
                + "damaged on the way, or decoded by an AV1 library that does otherwise");
            return;
        }

        _broken = false;
        _lastDecoded = keyframe.Index;
        _state.Decoded(coded.Size, _size);
        picture.Pts = pts;
        _motion.Remove(keyframe.Index, out var corrections);
        var entry = new SceneKeyframe(keyframe.Index, picture.Pts, picture, keyframe.Reason, corrections ?? []);
        if (!_scene.Add(entry))
        {
            entry.Dispose();
            Complain($"keyframe {keyframe.Index}: its time {picture.Pts} is not after the one before");
            return;
        }

        _presentation.KeyframeArrived(picture.Pts);
        _state.DecodeTime.Add(System.Diagnostics.Stopwatch.GetElapsedTime(began).TotalMilliseconds);
    }

    private void ReadMotion(GapMotion motion)
    {
        if (!MotionCodec.TryDecode(motion.Data.Span, _corrections, out var count, out var error))
        {
            Complain($"motion of keyframe {motion.Keyframe}: {error}");
            return;
        }

        if (count == 0)
            return;
        // Of keyframes that were lost, or never existed.
        if (_motion.Count > 8)
            _motion.Clear();
        var copy = new MotionCorrection[count];
        for (var k = 0; k < count; k++)
            _corrections[k].CopyTo(copy[k] = new());
        _motion[motion.Keyframe] = copy;
    }

    /// <summary>Reports come every 3 s or slower: they share the narrow link's other direction with acknowledgements.</summary>
    private async Task AnswerAsync(CancellationToken cancellationToken)
    {
        var now = Environment.TickCount64;
        if (_broken && now - _lastRequest > 2000)
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
                Sequence = _packets.Sequence,
                Keyframe = _lastDecoded,
                ReceivedBytes = (ulong)_packets.Payload.Total,
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

    /// <summary>A keyframe is lost, and what is predicted from it with it, until an intra keyframe comes.</summary>
    private void Break(string what)
    {
        _broken = true;
        Complain(what);
    }

    /// <summary>The first few faults are told one by one, then every hundredth.</summary>
    private void Complain(string what)
    {
        if (++_errors <= 5 || _errors % 100 == 0)
            _report($"{what} ({_errors} faults so far)");
    }
}
