using CmvcStream.Core.Media;

namespace CmvcStream.Core.Control;

/// <summary>
/// What a message costs beyond its own bytes (wire.md). gRPC in clear over IPv4: 5 gRPC + 9 HTTP/2 + 52 TCP/IP;
/// over TLS 22 more.
/// </summary>
/// <param name="PerMessage">Framing bytes of a message.</param>
/// <param name="PerSegment">Header bytes of each segment that carries it.</param>
/// <param name="SegmentPayload">Bytes of a segment that are not headers.</param>
public readonly record struct WireOverhead(int PerMessage, int PerSegment, int SegmentPayload)
{
    public static WireOverhead GrpcClear => new(14, 52, 1448);

    public static WireOverhead GrpcTls => new(36, 52, 1448);

    /// <summary>Bytes on the wire of one message with this payload.</summary>
    public int WireBytes(int payload)
    {
        var framed = payload + PerMessage;
        return framed + PerSegment * Math.Max(1, (framed + SegmentPayload - 1) / SegmentPayload);
    }
}

/// <summary>
/// Holds a stream to a rate on the wire, which may change. Two rules: credit grows with time, up to the largest packet, and a packet leaves
/// when its whole cost is there; what one packet leaves over serves the next, up to <see cref="Saved"/>. And from after a packet on, over
/// <see cref="Window"/> or longer, packets never exceed the rate integrated over it: what was left unspent longer ago is gone.
/// </summary>
/// <param name="rate">Of the wire, at first.</param>
/// <param name="unlimited">Everything may leave at once: for the test that shows that it may not.</param>
public sealed class WireBudget(Bitrate rate, bool unlimited = false)
{
    /// <summary>Over this and any longer time the rate is held strictly.</summary>
    public static readonly MediaTime Window = MediaTime.FromSeconds(5);

    /// <summary>A packet's headers, with or without TLS, near enough.</summary>
    private const int Headers = 100;

    // Bytes granted so far minus bytes that left, after each packet within the window that took most of its credit; the highest of those before it.
    private readonly Queue<(MediaTime At, double Level)> _levels = new();
    private double _floor = double.NegativeInfinity;
    private MediaTime _updated;
    private double _credit, _level;

    public Bitrate Rate { get; private set; } = rate;

    /// <summary>Bytes granted so far: the rate integrated over time.</summary>
    public double Granted { get; private set; }

    /// <summary>
    /// Most payload bytes of one packet: 0.3 s of a faster link, so that little is under way when it becomes slower; on a slow one its headers would
    /// cost too much, and it is as large as a keyframe, but no more than 1.2 s, so that nothing sits behind one packet for longer.
    /// </summary>
    public int LargestPacket => (int)Math.Clamp(Rate.BytesPerSecond * 0.3, Math.Clamp(Rate.BytesPerSecond * 1.2, 160, 750), 1300);

    /// <summary>Credit that a packet may leave over.</summary>
    private double Saved => Rate.BytesPerSecond * 0.35;

    private double Most => LargestPacket + 2 * Headers;

    /// <summary>Grants another rate from now on; credit above its largest packet is gone.</summary>
    public void SetRate(MediaTime now, Bitrate rate)
    {
        Update(now);
        Rate = rate;
        _credit = Math.Min(_credit, Most);
    }

    /// <summary>Bytes that may leave now; negative after unforeseen bytes (acknowledgements, retransmissions) were charged.</summary>
    public double Credit(MediaTime now)
    {
        Update(now);
        return unlimited ? Most : Math.Min(_credit, _level - _floor);
    }

    /// <summary>When a packet of this cost (no more than the largest packet's) may leave: now or later.</summary>
    public MediaTime ReadyAt(MediaTime now, int wireBytes)
    {
        if (unlimited)
            return now;
        var ready = Later(now, wireBytes - Credit(now));
        foreach (var (at, level) in _levels)
        {
            if (at + Window > ready)
                break;
            ready = Later(ready, wireBytes - (_level + Rate.BytesPerSecond * (ready - now).Seconds - level));
        }

        return ready;
    }

    /// <summary>
    /// Bytes that left, foreseen or not. What takes the lesser part of the credit (an acknowledgement, a text while the next keyframe is waited
    /// for) does not end its growing.
    /// </summary>
    public void Charge(MediaTime now, double wireBytes)
    {
        Update(now);
        var ends = wireBytes >= _credit / 2;
        _credit -= wireBytes;
        _level -= wireBytes;
        if (!ends)
            return;
        _credit = Math.Min(_credit, Saved);
        _levels.Enqueue((now, _level));
    }

    private MediaTime Later(MediaTime time, double missing) => missing <= 0 ? time : time + MediaTime.FromSeconds(missing / Rate.BytesPerSecond);

    private void Update(MediaTime now)
    {
        while (_levels.TryPeek(out var oldest) && oldest.At + Window <= now)
            _floor = Math.Max(_floor, _levels.Dequeue().Level);
        var elapsed = (now - _updated).Seconds;
        if (elapsed <= 0)
            return;
        _updated = now;
        var granted = Rate.BytesPerSecond * elapsed;
        Granted += granted;
        _level += granted;
        _credit = Math.Min(_credit + granted, Most);
    }
}
