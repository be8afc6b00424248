using System.Net.Sockets;
using CmvcStream.Core.Control;

namespace CmvcStream.Throttle;

/// <summary>Sockets whose kernel buffers are small: what waits must wait in the modelled queue, where it is counted.</summary>
internal static class RelaySocket
{
    /// <summary>Linux doubles it for its own book-keeping; about two segments of payload fit.</summary>
    public const int BufferBytes = 4096;

    private const int IpProtoTcp = 6, TcpMaxSegment = 2;

    public static Socket Listen(System.Net.IPEndPoint at)
    {
        var socket = new Socket(at.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            Shrink(socket); // accepted sockets inherit it, and the first window that they announce is small already
            socket.Bind(at);
            socket.Listen();
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>The same address for datagrams.</summary>
    public static Socket ListenUdp(System.Net.IPEndPoint at)
    {
        var socket = new Socket(at.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        try
        {
            socket.Bind(at);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    public static async Task<Socket> ConnectAsync(HostPort target, CancellationToken cancellationToken)
    {
        var address = await target.ResolveAsync(cancellationToken);
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            Shrink(socket);
            await socket.ConnectAsync(address, cancellationToken);
            Tune(socket);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>For a connected socket.</summary>
    public static void Tune(Socket socket)
    {
        socket.NoDelay = true;
        socket.Blocking = false; // a read that finds nothing says so
    }

    /// <summary>Closes; aborting resets the connection, so that a peer does not take a cut for an end.</summary>
    public static void Close(Socket socket, bool abort)
    {
        try
        {
            if (abort)
                socket.LingerState = new(true, 0);
        }
        catch (SocketException)
        {
            // already reset by the peer
        }

        socket.Dispose();
    }

    private static void Shrink(Socket socket)
    {
        socket.ReceiveBufferSize = BufferBytes;
        socket.SendBufferSize = BufferBytes;
        // Loopback's 64 kB segments do not fit such a buffer and would crawl from one probe of the closed window to the next.
        if (OperatingSystem.IsLinux())
            socket.SetRawSocketOption(IpProtoTcp, TcpMaxSegment, BitConverter.GetBytes(LinkTcp.MaxPayload));
    }
}
