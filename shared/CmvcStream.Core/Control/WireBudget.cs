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
/// Holds a stream to a rate on the wire. Credit grows with time and a packet leaves when its whole cost is there. Silence saves
/// nothing up beyond the waiting packet, so the packets after any given one never exceed rate x time.
/// </summary>
public sealed class WireBudget(Bitrate rate)
{
    private MediaTime _updated;
    private double _credit;
    private double _need;

    public Bitrate Rate { get; } = rate;

    /// <summary>Bytes that may leave now; negative after unforeseen bytes (acknowledgements, retransmissions) were charged.</summary>
    public double Credit(MediaTime now)
    {
        Update(now);
        return _credit;
    }

    /// <summary>When a packet of this cost may leave: now or later.</summary>
    public MediaTime ReadyAt(MediaTime now, int wireBytes)
    {
        Update(now);
        _need = wireBytes;
        var missing = wireBytes - _credit;
        return missing <= 0 ? now : now + MediaTime.FromSeconds(missing / Rate.BytesPerSecond);
    }

    /// <summary>Bytes that left, foreseen or not.</summary>
    public void Charge(MediaTime now, double wireBytes)
    {
        Update(now);
        // What a smaller packet than foreseen leaves over is not saved up either.
        _credit = Math.Min(_credit - wireBytes, Saved);
        _need = 0;
    }

    /// <summary>Credit that silence may leave: a small packet's.</summary>
    private double Saved => Rate.BytesPerSecond * 0.05;

    private void Update(MediaTime now)
    {
        var elapsed = (now - _updated).Seconds;
        if (elapsed <= 0)
            return;
        _updated = now;
        _credit = Math.Min(_credit + Rate.BytesPerSecond * elapsed, Math.Max(_need, Saved));
    }
}
