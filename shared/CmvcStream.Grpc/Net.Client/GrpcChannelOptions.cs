using Grpc.Net.Compression;

namespace Grpc.Net.Client;

/// <summary>How a channel reaches its server, and what it accepts.</summary>
public sealed class GrpcChannelOptions
{
    internal const int DefaultMaxReceiveMessageSize = 4 * 1024 * 1024;

    /// <summary>
    /// The way to the server, for example a <see cref="SocketsHttpHandler"/> with a ConnectCallback, keep-alive pings or TLS options of its
    /// own. Null: one is made. The channel disposes of it only where <see cref="DisposeHttpClient"/> says so.
    /// </summary>
    public HttpMessageHandler? HttpHandler { get; set; }

    /// <summary>Whether disposing of the channel disposes of <see cref="HttpHandler"/>. False by default.</summary>
    public bool DisposeHttpClient { get; set; }

    /// <summary>Largest message to send, in bytes before compression; null (the default) for no limit.</summary>
    public int? MaxSendMessageSize { get; set; }

    /// <summary>Largest message to receive, in bytes; null for no limit. 4 MiB by default.</summary>
    public int? MaxReceiveMessageSize { get; set; } = DefaultMaxReceiveMessageSize;

    /// <summary>
    /// Encodings that this channel can undo, announced to the server with every call; null (the default) for none, which saves the header.
    /// A call compresses its own messages when its metadata names one of them as "grpc-internal-encoding-request".
    /// </summary>
    public IList<ICompressionProvider>? CompressionProviders { get; set; }

    /// <summary>Whether a call that the caller cancelled throws <see cref="OperationCanceledException"/> in place of RpcException.</summary>
    public bool ThrowOperationCanceledOnCancellation { get; set; }
}
