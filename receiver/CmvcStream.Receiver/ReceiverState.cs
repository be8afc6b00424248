using CmvcStream.Core.Control;
using CmvcStream.Core.Diagnostics;
using CmvcStream.Core.Media;
using CmvcStream.Protos;
using CmvcStream.Receiver.Viewer;
using CmvcStream.Transport;

namespace CmvcStream.Receiver;

/// <summary>What is known about the session at this moment: feeds the viewer page and the statistics. Safe from several threads.</summary>
internal sealed class ReceiverState(ReceiveOptions options, TimeProvider time) : IViewerState
{
    /// <summary>No sender that is heard says nothing for so long.</summary>
    public static readonly TimeSpan Silent = TimeSpan.FromSeconds(12);

    private readonly Lock _gate = new();
    private readonly long _began = time.GetTimestamp();
    private readonly List<SceneLine> _transcript = [];
    private readonly long[] _shown = new long[Enum.GetValues<Provenance>().Length];
    private readonly WireRate _rate = new();
    private readonly Distribution _latency = new();
    private readonly StartStatistics _start = new();
    private ISession<ReceiverMessage, SenderMessage>? _session;
    private Hello? _hello;
    private StreamPhase _phase = StreamPhase.Waiting;
    private string? _lost;
    private Uri _listen = options.Listen;
    private long _lastKeyframe, _heard;
    private double? _lastLatency;
    private long _coded;
    private readonly double[] _modes = new double[2];
    private readonly List<ModeSwitch> _switches = [];
    private WireCounters _earlier;
    private StreamMode _mode = StreamMode.It2V;
    private double? _modeBegan, _sessionEnded;
    private PresentationStatistics? _presentation;

    public Distribution DecodeTime { get; } = new();

    public Distribution RegenerateTime { get; } = new();

    /// <summary>Of the current session.</summary>
    public PayloadCounters Payload { get; set; } = new();

    /// <summary>What went back to the sender.</summary>
    public PayloadCounters Sent { get; private set; } = new();

    /// <summary>What the sender says is wrong with its source.</summary>
    public string? Trouble { get; set; }

    /// <summary>How long the network takes for a keyframe; none: no network runs.</summary>
    public Distribution RestoreTime { get; } = new();

    /// <summary>What restores keyframes, and on what; null: no network does.</summary>
    public string? Network { get; set; }

    public long Presented => Enum.GetValues<Provenance>().Sum(Count);

    public long Held => Count(Provenance.Held);

    private double Now => time.GetElapsedTime(_began).TotalMilliseconds;

    public void Listening(Uri url) => _listen = url;

    /// <summary>A sender is connected.</summary>
    /// <param name="hello">What it shows.</param>
    /// <param name="session">Its connection.</param>
    /// <param name="resumed">It goes on with its stream: what was counted of it still counts.</param>
    public void Begin(Hello hello, ISession<ReceiverMessage, SenderMessage> session, bool resumed)
    {
        lock (_gate)
        {
            _earlier = resumed && _session is { } last ? _earlier.Plus(last.Wire) : default;
            (_hello, _session, _phase, _lost, Trouble) = (hello, session, StreamPhase.Connected, null, null);
            _rate.Reset();
            _heard = time.GetTimestamp();
            _sessionEnded = null;
            if (resumed)
                return;
            _transcript.Clear();
            Sent = new();
            _start.Connect ??= Math.Round(Now);
            (_modeBegan, _mode) = (Now, StreamMode.It2V);
            Array.Clear(_modes);
            _switches.Clear();
        }
    }

    /// <summary>The sender has said something.</summary>
    public void Heard()
    {
        lock (_gate)
            _heard = time.GetTimestamp();
    }

    /// <summary>The sender sends in this mode from now on.</summary>
    public void Switched(StreamMode mode)
    {
        lock (_gate)
        {
            if (mode == _mode)
                return;
            var now = Now;
            _modes[mode == StreamMode.It2V ? 1 : 0] += now - (_modeBegan ?? now);
            _switches.Add(new(Math.Round(now / 1000, 2), _mode.Name(), mode.Name(), "the sender says so", null));
            (_mode, _modeBegan) = (mode, now);
        }
    }

    public void Presenting(FrameRate fps, PixelSize size) => _presentation = new(fps.Hertz, size.Width, size.Height);

    public void Text(SceneText text, MediaTime at)
    {
        lock (_gate)
        {
            var before = _transcript.Count > 0 ? _transcript[^1] : null;
            var line = new SceneLine(Math.Round(at.Seconds, 2), text.Scene, text.Look.Length > 0 ? text.Look : before?.Look ?? "",
                text.Motion.Length > 0 ? text.Motion : before?.Motion ?? "");
            _transcript.Add(line);
            if (_transcript.Count > 200)
                _transcript.RemoveAt(0);
            _start.Text ??= Math.Round(Now);
        }
    }

    public void Decoded(PixelSize coded, PixelSize full)
    {
        lock (_gate)
        {
            _coded++;
            _lastKeyframe = time.GetTimestamp();
            if (coded == full)
                _start.Full ??= Math.Round(Now);
        }
    }

    public void Shown(Provenance provenance, double? latency)
    {
        Interlocked.Increment(ref _shown[(int)provenance]);
        if (provenance is not Provenance.None)
            _start.Picture ??= Math.Round(Now);
        if (latency is { } ms)
            _latency.Add(ms);
        _lastLatency = latency;
    }

    public void Lost(string why)
    {
        lock (_gate)
            (_phase, _lost, _sessionEnded) = (_phase == StreamPhase.Ended ? _phase : StreamPhase.Lost, why, _sessionEnded ?? Now);
    }

    public void Ended()
    {
        lock (_gate)
            (_phase, _sessionEnded) = (StreamPhase.Ended, Now);
    }

    public ViewerSnapshot Snapshot()
    {
        lock (_gate)
        {
            var wire = _session?.Wire;
            var (rx, tx) = wire is { } w ? _rate.Update(Now / 1000, w) : (null, null);
            // The connection may be open for long after the link is gone.
            var silent = _phase == StreamPhase.Connected && time.GetElapsedTime(_heard) >= Silent;
            return new()
            {
                Phase = silent ? StreamPhase.Lost : _phase,
                Listen = _listen.ToString(),
                Mode = _hello is null ? null : _mode.Name(),
                Source = _hello?.Source.Name,
                Trouble = silent ? $"nothing was heard from the sender for {Silent.TotalSeconds:0} s" : Trouble ?? _lost,
                Fps = options.Fps.Hertz,
                WireRxKbps = rx,
                WireTxKbps = tx,
                Payload = _hello is null ? null : new(Payload.Keyframe, Payload.Motion, Payload.Text, Payload.Control),
                KeyframeAgeSeconds = _lastKeyframe == 0 ? null : time.GetElapsedTime(_lastKeyframe).TotalSeconds,
                Frames = new(Count(Provenance.Transmitted), Count(Provenance.Restored), Count(Provenance.Interpolated), Count(Provenance.Extrapolated), Held),
                Network = Network,
                LatencyMs = _lastLatency,
                Scene = _transcript.Count > 0 ? _transcript[^1] : null,
                Transcript = [.. _transcript.TakeLast(20)],
            };
        }
    }

    public Statistics Statistics(string exit)
    {
        lock (_gate)
        {
            var wire = _session?.Wire.Plus(_earlier);
            return new()
            {
                Role = "receiver",
                Exit = exit,
                Seconds = Math.Round(Now / 1000, 2),
                Wire = wire is { } w ? new()
                {
                    Tx = new(w.TxBytes, w.TxPackets),
                    Rx = new(w.RxBytes, w.RxPackets),
                    From = w.Measured ? "tcp_info" : "model",
                } : new(),
                Payload = new()
                {
                    Tx = new(0, 0, 0, Sent.Control),
                    Rx = new(Payload.Keyframe, Payload.Motion, Payload.Text, Payload.Control),
                },
                StartMs = new() { Connect = _start.Connect, Text = _start.Text, Picture = _start.Picture, Full = _start.Full },
                Modes = new() { It2vS = Seconds(StreamMode.It2V), Tt2vS = Seconds(StreamMode.Tt2V), Switches = [.. _switches] },
                Frames = new()
                {
                    Coded = _coded,
                    Generated = Count(Provenance.Interpolated) + Count(Provenance.Extrapolated),
                    Presented = Presented,
                    Frozen = Held,
                },
                Presentation = _presentation,
                LatencyMs = _latency.Percentiles(),
                StagesMs = RestoreTime.Percentiles() is { } restore
                    ? new() { ["decode"] = DecodeTime.Percentiles(), ["restore"] = restore, ["regenerate"] = RegenerateTime.Percentiles() }
                    : new() { ["decode"] = DecodeTime.Percentiles(), ["regenerate"] = RegenerateTime.Percentiles() },
            };
        }
    }

    private double Seconds(StreamMode mode)
    {
        var current = mode == _mode && _modeBegan is { } began ? (_sessionEnded ?? Now) - began : 0;
        return Math.Round((_modes[mode == StreamMode.It2V ? 0 : 1] + current) / 1000, 2);
    }

    private long Count(Provenance provenance) => Interlocked.Read(ref _shown[(int)provenance]);
}

/// <summary>Wire rates over the last 5 s.</summary>
internal sealed class WireRate
{
    private readonly Queue<(double At, WireCounters Wire)> _samples = new();

    public void Reset() => _samples.Clear();

    /// <returns>kbit/s received and sent; null until a second has been seen.</returns>
    public (double? Rx, double? Tx) Update(double seconds, WireCounters wire)
    {
        _samples.Enqueue((seconds, wire));
        while (_samples.Count > 2 && _samples.Peek().At < seconds - 5)
            _samples.Dequeue();
        var (at, first) = _samples.Peek();
        if (!wire.Measured || seconds - at < 1)
            return (null, null);
        double Rate(long bytes) => Math.Round(bytes * 8 / 1000.0 / (seconds - at), 2);
        return (Rate(wire.RxBytes - first.RxBytes), Rate(wire.TxBytes - first.TxBytes));
    }
}
