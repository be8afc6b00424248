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
/// Holds a stream to a rate on the wire. Credit grows with time, up to the largest packet, and a packet leaves when its whole cost is
/// there. What one packet leaves over is not saved up, so the packets after any given one never exceed rate x time.
/// </summary>
public sealed class WireBudget(Bitrate rate)
{
    /// <summary>A packet's headers, with or without TLS, near enough.</summary>
    private const int Headers = 100;

    private MediaTime _updated;
    private double _credit;

    public Bitrate Rate { get; } = rate;

    /// <summary>Bytes that may leave now; negative after unforeseen bytes (acknowledgements, retransmissions) were charged.</summary>
    public double Credit(MediaTime now)
    {
        Update(now);
        return _credit;
    }

    /// <summary>When a packet of this cost (no more than the largest packet's) may leave: now or later.</summary>
    public MediaTime ReadyAt(MediaTime now, int wireBytes)
    {
        Update(now);
        var missing = wireBytes - _credit;
        return missing <= 0 ? now : now + MediaTime.FromSeconds(missing / Rate.BytesPerSecond);
    }

    /// <summary>Bytes that left, foreseen or not.</summary>
    public void Charge(MediaTime now, double wireBytes)
    {
        Update(now);
        // What a smaller packet than foreseen leaves over is not saved up either.
        _credit = Math.Min(_credit - wireBytes, Saved);
    }

    /// <summary>Most payload bytes of one packet: 1.2 s of the link, so that nothing sits behind one packet for longer.</summary>
    public int LargestPacket => (int)Math.Clamp(Rate.BytesPerSecond * 1.2, 160, 1300);

    /// <summary>Credit that a packet may leave over: a small packet's.</summary>
    private double Saved => Rate.BytesPerSecond * 0.05;

    private void Update(MediaTime now)
    {
        var elapsed = (now - _updated).Seconds;
        if (elapsed <= 0)
            return;
        _updated = now;
        _credit = Math.Min(_credit + Rate.BytesPerSecond * elapsed, LargestPacket + 2 * Headers);
    }
}
