using CmvcStream.Protos;

namespace CmvcStream.Transport;

/// <summary>Bytes on the wire, IP headers included, both directions counted apart.</summary>
/// <param name="TxBytes">Sent.</param>
/// <param name="TxPackets">Segments or datagrams sent.</param>
/// <param name="RxBytes">Received.</param>
/// <param name="RxPackets">Segments or datagrams received.</param>
/// <param name="Measured">Counted by the kernel (tcp_info); otherwise modelled from payload and known headers.</param>
public readonly record struct WireCounters(long TxBytes, long TxPackets, long RxBytes, long RxPackets, bool Measured)
{
    /// <summary>Both connections together.</summary>
    public WireCounters Plus(WireCounters other) =>
        new(TxBytes + other.TxBytes, TxPackets + other.TxPackets, RxBytes + other.RxBytes, RxPackets + other.RxPackets, Measured);
}

/// <summary>One session between a sender and a receiver, seen from one end. Messages arrive whole and in order.</summary>
/// <typeparam name="TSend">What this end sends.</typeparam>
/// <typeparam name="TReceive">What this end receives.</typeparam>
public interface ISession<in TSend, out TReceive> : IAsyncDisposable
{
    /// <summary>Who is at the other end, for logs.</summary>
    string Peer { get; }

    /// <summary>Counted since the connection was set up.</summary>
    WireCounters Wire { get; }

    /// <exception cref="TransportException">The session is broken.</exception>
    Task SendAsync(TSend message, CancellationToken cancellationToken);

    /// <summary>Everything the other end says, until it has said all.</summary>
    /// <exception cref="TransportException">The session broke.</exception>
    IAsyncEnumerable<TReceive> ReceiveAsync(CancellationToken cancellationToken);

    /// <summary>This end has said all; what was said is delivered before the session ends.</summary>
    Task CompleteAsync(CancellationToken cancellationToken);
}

/// <summary>Connects senders to receivers.</summary>
public interface ISenderTransport
{
    /// <exception cref="TransportException">The receiver cannot be reached or refuses; the message says which.</exception>
    Task<ISession<SenderMessage, ReceiverMessage>> ConnectAsync(Uri to, TransportOptions options, CancellationToken cancellationToken);
}

/// <summary>Accepts senders.</summary>
public interface IReceiverTransport
{
    /// <summary>
    /// Listens, and runs <paramref name="serve"/> for every connection, several at a time: a sender's fresh one comes while its last one hangs.
    /// A <see cref="TransportException"/> of it (Protocol, Busy) refuses the sender.
    /// </summary>
    /// <exception cref="TransportException">The address cannot be used.</exception>
    Task<IListener> ListenAsync(Uri listen, TransportOptions options,
        Func<ISession<ReceiverMessage, SenderMessage>, CancellationToken, Task> serve, CancellationToken cancellationToken);
}

/// <summary>A listening receiver; disposing it ends its session.</summary>
public interface IListener : IAsyncDisposable
{
    /// <summary>Where it listens, with the port that was chosen.</summary>
    Uri Url { get; }
}

/// <param name="Token">Shared secret: a sender without it is refused. Null: none is asked for.</param>
public sealed record TransportOptions(string? Token = null)
{
    /// <summary>A sender's: the only certificate to accept over https:. Null: what the system trusts.</summary>
    public CertificateFingerprint? Trust { get; init; }

    /// <summary>A receiver's, for https:; whoever made it disposes it after the listener.</summary>
    public ServerCertificate? Certificate { get; init; }
}

/// <summary>What went wrong with a session.</summary>
public enum TransportError
{
    Unreachable,
    Refused,
    Broken,
    Protocol,
    AddressInUse,
    BadAddress,
    Busy,
    Untrusted,
}

/// <summary>A session cannot be made or has broken; the message is for the user.</summary>
public sealed class TransportException : Exception
{
    public TransportException(TransportError error, string message, Exception? inner = null) : base(message, inner) => Error = error;

    public TransportError Error { get; }
}
