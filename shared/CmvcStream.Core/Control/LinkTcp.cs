using CmvcStream.Core.Media;

namespace CmvcStream.Core.Control;

/// <summary>What TCP over IPv4 costs on the wire, as Linux sends it on a path of 1500 bytes: timestamps in every segment.</summary>
public static class LinkTcp
{
    /// <summary>Bytes of payload in a full segment: 1500 less the headers.</summary>
    public const int MaxPayload = 1500 - Header;

    /// <summary>
    /// Bytes of headers on each segment: 20 IPv4, 20 TCP, 12 timestamps (RFC 7323). A pure acknowledgement, FIN or RST is this alone.
    /// </summary>
    public const int Header = 52;

    /// <summary>Bytes of a SYN or SYN-ACK: 20 IPv4, 20 TCP, 20 options (segment size, SACK permitted, timestamps, window scale).</summary>
    public const int Syn = 60;

    /// <summary>Bytes on the wire of so much payload (bytes) sent at once, in as few segments as possible.</summary>
    public static DataSize WireSize(int payload)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(payload);
        return new(payload + (long)Header * Math.Max(1, (payload + MaxPayload - 1) / MaxPayload));
    }
}

/// <summary>
/// When one end of a TCP connection acknowledges what arrives: every second segment, else after 40 ms (Linux's shortest delay), and
/// for nothing on data that goes back meanwhile. Not safe from several threads.
/// </summary>
public sealed class LinkTcpAcks
{
    /// <summary>How long an acknowledgement waits for a second segment or for data to ride on.</summary>
    public static readonly MediaTime Delay = MediaTime.FromMilliseconds(40);

    /// <summary>When an acknowledgement must leave; null when nothing is unacknowledged.</summary>
    public MediaTime? Due { get; private set; }

    /// <summary>A segment with data has arrived; true when an acknowledgement leaves at once.</summary>
    public bool OnArrived(MediaTime now)
    {
        if (Due is not null)
        {
            Due = null;
            return true;
        }

        Due = now + Delay;
        return false;
    }

    /// <summary>Data goes the other way and carries the acknowledgement.</summary>
    public void OnSent() => Due = null;

    /// <summary>True when an acknowledgement is due by now and leaves.</summary>
    public bool OnTimer(MediaTime now)
    {
        if (Due is not { } due || due > now)
            return false;
        Due = null;
        return true;
    }
}
