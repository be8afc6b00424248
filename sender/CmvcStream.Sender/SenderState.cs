using CmvcStream.Core.Control;
using CmvcStream.Core.Diagnostics;
using CmvcStream.Protos;
using CmvcStream.Transport;

namespace CmvcStream.Sender;

/// <summary>What the sender measured so far. Safe from several threads.</summary>
internal sealed class SenderState(TimeProvider time)
{
    private readonly long _began = time.GetTimestamp();
    private readonly StartStatistics _start = new();
    private readonly List<ModeSwitch> _switches = [];
    private readonly double[] _modes = new double[2];
    private ISession<SenderMessage, ReceiverMessage>? _session;
    private WireCounters _earlier;
    private StreamMode _mode = StreamMode.It2V;
    private double? _since;

    public PayloadCounters Sent { get; } = new();

    public PayloadCounters Received { get; } = new();

    public Distribution EncodeTime { get; } = new();

    public long Captured { get; set; }

    public long Dropped { get; set; }

    public long Coded { get; set; }

    public long Described { get; set; }

    private double Now => Math.Round(time.GetElapsedTime(_began).TotalMilliseconds);

    /// <summary>Asks how the link is.</summary>
    public Func<LinkStatistics>? Link { get; set; }

    /// <summary>A session becomes the current one; what earlier ones took still counts.</summary>
    public void Connected(ISession<SenderMessage, ReceiverMessage> session)
    {
        if (_session is { } last && last != session)
            _earlier = _earlier.Plus(last.Wire);
        _session = session;
        _start.Connect ??= Now;
        _since ??= Now;
    }

    /// <summary>The mode is another one from now on.</summary>
    public void Switched(ModeChange change)
    {
        var now = Now;
        lock (_switches)
        {
            _modes[(int)_mode - 1] += now - (_since ?? now);
            (_mode, _since) = (change.To, now);
            _switches.Add(new(Math.Round(now / 1000, 2), change.From.Name(), change.To.Name(), change.Reason, change.Estimate.BitsPerSecond));
        }
    }

    public void Left(SenderMessage message)
    {
        Sent.Count(message);
        if (message.Text.Count > 0)
            _start.Text ??= Now;
        if (message.Keyframe.Count > 0)
            _start.Picture ??= Now;
    }

    public Statistics Statistics(string exit)
    {
        var wire = _session?.Wire.Plus(_earlier);
        return new()
        {
            Role = "sender",
            Exit = exit,
            Seconds = Now / 1000,
            Wire = wire is { } w ? new()
            {
                Tx = new(w.TxBytes, w.TxPackets),
                Rx = new(w.RxBytes, w.RxPackets),
                From = w.Measured ? "tcp_info" : "model",
            } : new(),
            Payload = new()
            {
                Tx = new(Sent.Keyframe, Sent.Motion, Sent.Text, Sent.Control),
                Rx = new(0, 0, 0, Received.Control),
            },
            StartMs = _start,
            Modes = Modes(),
            Link = Link?.Invoke(),
            Frames = new() { Captured = Captured, Coded = Coded, Described = Described, Dropped = Dropped },
            StagesMs = new() { ["encode"] = EncodeTime.Percentiles() },
        };
    }

    private ModeStatistics Modes()
    {
        lock (_switches)
        {
            double Seconds(StreamMode mode) => Math.Round((_modes[(int)mode - 1] + (mode == _mode && _since is { } since ? Now - since : 0)) / 1000, 2);
            return new() { It2vS = Seconds(StreamMode.It2V), Tt2vS = Seconds(StreamMode.Tt2V), Switches = [.. _switches] };
        }
    }
}
