using CmvcStream.Core.Control;
using CmvcStream.Core.Media;
using CmvcStream.Receiver.Present;
using CmvcStream.Receiver.Regenerate;
using CmvcStream.Receiver.Viewer;

namespace CmvcStream.Receiver;

/// <summary>Presents one session: at each turn of the clock one frame is regenerated and handed to the sinks, until the source's end.</summary>
internal sealed class Presentation : IDisposable
{
    /// <summary>After a sender is lost or done, sinks have this long to write out what they hold.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly SceneState _scene;
    private readonly ReceiverState _state;
    private readonly ViewerSink? _viewer;
    private readonly PresentationClock _clock;
    private readonly PlayoutDelay _delay;
    private readonly IRegenerator _regenerator;
    private readonly FrameFanout _fanout;
    private readonly bool _lowLatency;
    private readonly Lock _gate = new();
    private MediaTime? _lastKeyframe;

    public Presentation(ReceiveOptions options, SceneState scene, IRegenerator regenerator, PixelSize size, ReceiverState state, List<IFrameSink> sinks, ViewerSink? viewer, Action<string> report)
    {
        (_scene, _regenerator, _state, _viewer, _lowLatency) = (scene, regenerator, state, viewer, options.LowLatency);
        _delay = new(_lowLatency ? default : PlayoutDelay.Smooth);
        _clock = new(options.Fps, TimeProvider.System);
        _fanout = new(sinks, report);
        state.Presenting(options.Fps, size);
    }

    /// <summary>UTC wall clock at source time 0, when the sender has said it.</summary>
    public MediaTime? Epoch { get; set; }

    /// <summary>A keyframe was decoded: pictures up to its time can be made now.</summary>
    public void KeyframeArrived(MediaTime pts)
    {
        lock (_gate)
        {
            var first = _lastKeyframe is null;
            // Smooth: the gap before it could not be shown until now. Low latency, or a gap that nothing fills: it could.
            var alone = _lowLatency || first || pts - _lastKeyframe!.Value > SceneState.LongestGap;
            _delay.Arrived(_clock.Now, alone ? pts : _lastKeyframe!.Value);
            _lastKeyframe = pts;
            if (first)
                Wake();
        }
    }

    /// <summary>Something changed for the clock: it begins to run, even if no picture ever came.</summary>
    public void Wake()
    {
        lock (_gate)
        {
            if (_delay.Offset is null)
                _delay.Arrived(_clock.Now, MediaTime.Zero);
            _clock.Anchor(_delay.Offset!.Value, MediaTime.Zero);
        }
    }

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            await _clock.RunAsync(Present, cancellationToken);
        }
        catch (OperationCanceledException)
        {
            // Stopped: no more is presented, what was is written out.
        }

        using var patience = new CancellationTokenSource(Patience);
        await _fanout.CompleteAsync(patience.Token);
        await _fanout.DisposeAsync();
    }

    public void Dispose()
    {
        _regenerator.Dispose();
        _clock.Dispose();
    }

    private bool Present(PresentationTick tick)
    {
        if (_scene.End is { } end && tick.Source >= end)
            return false;
        lock (_gate)
        {
            if (_delay.Update(_clock.Now) is { } offset)
                _clock.Anchor(offset, MediaTime.Zero);
        }

        var began = System.Diagnostics.Stopwatch.GetTimestamp();
        var (picture, provenance) = _regenerator.Regenerate(tick.Source);
        using var frame = new RegeneratedFrame(picture, provenance, tick.Number, _clock.Now);
        _state.RegenerateTime.Add(System.Diagnostics.Stopwatch.GetElapsedTime(began).TotalMilliseconds);
        _fanout.Present(frame);
        _viewer?.Present(frame);
        _state.Shown(provenance, Latency(tick.Source));
        return true;
    }

    /// <summary>Capture to presentation in milliseconds, where the clocks of both ends agree; else null.</summary>
    private double? Latency(MediaTime source)
    {
        if (Epoch is not { } epoch)
            return null;
        var utc = (DateTime.UtcNow - DateTime.UnixEpoch).TotalMilliseconds;
        var latency = utc - (epoch + source).Milliseconds;
        return latency is > 0 and < 60_000 ? latency : null;
    }
}
