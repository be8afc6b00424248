using System.Buffers.Binary;
using System.Net.Sockets;

namespace CmvcStream.Transport;

/// <summary>
/// Counts what a TCP connection puts on the wire, from the kernel's own counters (Linux tcp_info, include/uapi/linux/tcp.h):
/// bytes sent and received, retransmissions included, plus IP and TCP headers of every segment.
/// </summary>
public sealed class TcpWireMeter(Socket socket)
{
    private const int IpProtocolTcp = 6, TcpInfo = 11;

    // Offsets in struct tcp_info; all of them are there since Linux 4.19.
    private const int Options = 5, BytesReceived = 128, SegsOut = 136, SegsIn = 140, BytesSent = 200, Needed = 208;
    private const int OptionTimestamps = 1;

    private readonly byte[] _info = new byte[256];
    private WireCounters _last;
    private int? _ipHeader;

    /// <summary>The newest figures; after the socket has been closed, the last ones read before.</summary>
    public WireCounters Read()
    {
        lock (_info)
        {
            if (!OperatingSystem.IsLinux())
                return _last;
            try
            {
                // Another thread may close the socket at any moment: all that asks it stands here.
                var length = socket.GetRawSocketOption(IpProtocolTcp, TcpInfo, _info);
                if (length < Needed)
                    return _last;
                _ipHeader ??= socket.AddressFamily == AddressFamily.InterNetworkV6 && !MappedV4() ? 40 : 20;
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                return _last;
            }

            var header = _ipHeader.Value + 20 + ((_info[Options] & OptionTimestamps) != 0 ? 12 : 0);
            long segmentsOut = BinaryPrimitives.ReadUInt32LittleEndian(_info.AsSpan(SegsOut));
            long segmentsIn = BinaryPrimitives.ReadUInt32LittleEndian(_info.AsSpan(SegsIn));
            var sent = BinaryPrimitives.ReadInt64LittleEndian(_info.AsSpan(BytesSent));
            var received = BinaryPrimitives.ReadInt64LittleEndian(_info.AsSpan(BytesReceived));
            return _last = new(sent + segmentsOut * header, segmentsOut, received + segmentsIn * header, segmentsIn, true);
        }
    }

    private bool MappedV4() => socket.RemoteEndPoint is System.Net.IPEndPoint { Address.IsIPv4MappedToIPv6: true };
}
