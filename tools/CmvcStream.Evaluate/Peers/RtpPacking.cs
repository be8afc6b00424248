namespace CmvcStream.Evaluate.Peers;

/// <summary>
/// What coded frames cost on the wire as WebRTC sends them: RTP over UDP over IPv4, SRTP with an 80-bit tag, at least one packet a frame.
/// Left out, in the others' favour: RTCP, retransmission, payload descriptors, and all of setting up.
/// </summary>
internal static class RtpPacking
{
    /// <summary>20 IPv4 (RFC 791), 8 UDP (RFC 768), 12 RTP (RFC 3550), 10 SRTP tag (RFC 3711).</summary>
    public const int HeaderBytes = 20 + 8 + 12 + 10;

    /// <summary>Most bytes of a frame in a packet, as WebRTC packs them.</summary>
    public const int PayloadBytes = 1200;

    /// <summary>Bytes on the wire for frames of these sizes; an empty frame needs no packet.</summary>
    public static long WireBytes(IEnumerable<int> frames) => frames.Sum(f => f + (f + PayloadBytes - 1) / PayloadBytes * (long)HeaderBytes);
}
