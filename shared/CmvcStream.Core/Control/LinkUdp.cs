using CmvcStream.Core.Media;

namespace CmvcStream.Core.Control;

/// <summary>What UDP costs on the wire of a path of 1500 bytes.</summary>
public static class LinkUdp
{
    /// <summary>Bytes of headers of a datagram over IPv4: 20 and 8.</summary>
    public const int Header = 28;

    /// <summary>Bytes of headers of a datagram over IPv6: 40 and 8.</summary>
    public const int HeaderV6 = 48;

    private const int Path = 1500, Udp = 8, V4 = 20, V6 = 40, FragmentV6 = 8;

    /// <summary>Bytes on the wire of a datagram with so much payload (bytes), those of its fragments' headers included.</summary>
    public static DataSize WireSize(int payload, bool v6 = false)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(payload);
        var whole = payload + Udp;
        var header = v6 ? V6 : V4;
        if (whole + header <= Path)
            return new(whole + header);
        header += v6 ? FragmentV6 : 0;
        var room = (Path - header) / 8 * 8; // fragments begin at multiples of 8 bytes
        return new(whole + ((long)header * ((whole + room - 1) / room)));
    }
}
