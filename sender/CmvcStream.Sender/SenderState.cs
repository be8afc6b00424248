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
    private ISession<SenderMessage, ReceiverMessage>? _session;

    public PayloadCounters Sent { get; } = new();

    public PayloadCounters Received { get; } = new();

    public Distribution EncodeTime { get; } = new();

    public long Captured { get; set; }

    public long Dropped { get; set; }

    public long Coded { get; set; }

    private double Now => Math.Round(time.GetElapsedTime(_began).TotalMilliseconds);

    public void Connected(ISession<SenderMessage, ReceiverMessage> session)
    {
        _session = session;
        _start.Connect = Now;
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
        var wire = _session?.Wire;
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
            Modes = new() { It2vS = _start.Connect is { } c ? (Now - c) / 1000 : 0 },
            Frames = new() { Captured = Captured, Coded = Coded, Dropped = Dropped },
            StagesMs = new() { ["encode"] = EncodeTime.Percentiles() },
        };
    }
}
