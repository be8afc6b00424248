using System.Text.Json;
using Xunit;

namespace EndToEnd.Tests.Session;

/// <summary>What the programs count on the wire, against a witness that knows nothing of them: the counters of the network interfaces between them.</summary>
public sealed class NamespaceTests : IDisposable
{
    /// <summary>A segment without payload: 20 bytes of IPv4, 20 of TCP, 12 of timestamps.</summary>
    private const int Bare = 52;

    /// <summary>SYN and SYN-ACK carry 20 bytes of options: timestamps, and besides them segment size, window scale, selective acknowledgement.</summary>
    private const int Syn = 60;

    /// <summary>
    /// The end of a connection goes over the wire when nobody asks the kernel any more: both FINs (or a RST), the receiver's trailers and GOAWAY, what
    /// acknowledges each of them, perhaps one of them again.
    /// </summary>
    private const int MostAtTheEnd = 6;

    /// <summary>Payload of the receiver's trailers (24) and GOAWAY (17).</summary>
    private const int Goodbye = 24 + 17;

    private readonly Programs _programs = new();
    private NetworkNamespaces? _net;

    /// <summary>
    /// Counted are IP packets: the interfaces' bytes less 14 of Ethernet a packet. All that the link carries is one TCP connection. ARP is not
    /// subtracted: there is none, as both ends know each other's address beforehand; IPv6 is off.
    /// </summary>
    [Fact]
    public async Task Wire_BothEnds_IsWhatTheInterfacesCarried()
    {
        _net = new NetworkNamespaces();
        string sent = _programs.PathOf("tx.json"), received = _programs.PathOf("rx.json");
        var (senderBefore, receiverBefore) = (_net.Count(_net.Sender), _net.Count(_net.Receiver));

        var receiver = Start(_net.Receiver, "cmvc-receive", "--listen", $"http://{NetworkNamespaces.ReceiverAddress}:5000", "--once", "--out", "null:", "--stats", received);
        await receiver.OutputLineAsync("ready ");
        var sender = Start(_net.Sender, "cmvc-send", "--for", "12s", "--max-rate", "16kbps", "--source", "synthetic:street",
            "--to", $"http://{NetworkNamespaces.ReceiverAddress}:5000", "--stats", sent);
        Assert.True(await sender.ExitAsync() == 0, sender.Errors);
        Assert.True(await receiver.ExitAsync() == 0, receiver.Errors);
        // The kernels still say goodbye to each other.
        await Task.Delay(500);

        var (atSender, atReceiver) = (_net.Count(_net.Sender).Less(senderBefore), _net.Count(_net.Receiver).Less(receiverBefore));
        // Nothing was lost in between, so each is a second witness for the other.
        Assert.Equal((atSender.Tx, atSender.Rx), (atReceiver.Rx, atReceiver.Tx));
        Assert.True(atSender.Tx.Bytes > 2000, $"no stream to speak of: {atSender}\n{sender.Errors}\n{receiver.Errors}");
        var (tx, rx) = (Wire(sent), Wire(received));
        // The sender's socket made the connection: SYN and SYN-ACK are among its segments, but no segment's header is taken for longer than Bare.
        AssertClose("sender tx", tx.Tx, atSender.Tx, new(Syn - Bare, 0), 0);
        AssertClose("sender rx", tx.Rx, atSender.Rx, new(Syn - Bare, 0), Goodbye);
        // The receiver's socket came to be when SYN and SYN-ACK had gone over the wire: it knows of neither.
        AssertClose("receiver tx", rx.Tx, atReceiver.Tx, new(Syn, 1), Goodbye);
        AssertClose("receiver rx", rx.Rx, atReceiver.Rx, new(Syn, 1), 0);
    }

    public void Dispose()
    {
        try
        {
            _programs.Dispose();
        }
        finally
        {
            _net?.Dispose();
        }
    }

    /// <summary>
    /// Within 3 % of the interface, when what is known to be missing in ours is added. What is left are options that some acknowledgements carry beside
    /// timestamps (SACK), and the payload of segments that arrive twice, which the kernel does not count as received.
    /// </summary>
    /// <param name="what">Which figure.</param>
    /// <param name="ours">The program's.</param>
    /// <param name="link">The interface's.</param>
    /// <param name="handshake">Of the handshake, what ours lacks.</param>
    /// <param name="goodbye">Payload that ours may lack, as far as it went over the wire after the last reading.</param>
    private static void AssertClose(string what, Tally ours, Tally link, Tally handshake, int goodbye)
    {
        // A miscount of segments would be seen here; if segments were joined anywhere (GSO, GRO), the link would have fewer than we.
        var atTheEnd = link.Packets - ours.Packets - handshake.Packets;
        var lacking = link.Bytes - ours.Bytes - handshake.Bytes - atTheEnd * Bare;
        var off = lacking - Math.Clamp(lacking, 0, goodbye);
        var figures = $"{what}: ours {ours}, link {link}, {atTheEnd} segments at the end, {lacking} bytes more, {100.0 * off / link.Bytes:0.00} % unexplained";
        TestContext.Current.TestOutputHelper?.WriteLine(figures);
        Assert.True(atTheEnd is >= 0 and <= MostAtTheEnd, figures);
        Assert.True(Math.Abs(off) <= 0.03 * link.Bytes, figures);
    }

    private static (Tally Tx, Tally Rx) Wire(string statistics)
    {
        using var json = JsonDocument.Parse(File.ReadAllText(statistics));
        var wire = json.RootElement.GetProperty("wire");
        Assert.Equal("tcp_info", wire.GetProperty("from").GetString());
        return (Tally.Of(wire.GetProperty("tx")), Tally.Of(wire.GetProperty("rx")));
    }

    /// <summary>ip replaces itself by the program: signals reach it.</summary>
    private Running Start(string name, string program, params string[] arguments) =>
        _programs.Start(_net!.Ip, ["netns", "exec", name, Path.Combine(AppContext.BaseDirectory, program), .. arguments]);
}
