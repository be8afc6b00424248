using System.Net.Sockets;
using System.Runtime.CompilerServices;
using CmvcStream.Protos;
using Grpc.Core;
using Grpc.Net.Client;

namespace CmvcStream.Transport.Grpc;

/// <summary>Senders reach a receiver by one duplex gRPC call on one TCP connection.</summary>
public sealed class GrpcSenderTransport : ISenderTransport
{
    public async Task<ISession<SenderMessage, ReceiverMessage>> ConnectAsync(Uri to, TransportOptions options, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(to);
        ArgumentNullException.ThrowIfNull(options);
        GrpcAddress.Check(to, "--to");
        var socket = await OpenAsync(to, cancellationToken);
        System.IO.Stream stream = new NetworkStream(socket, ownsSocket: true);
        if (to.Scheme == Uri.UriSchemeHttps)
            stream = await TlsClient.ConnectAsync(stream, to, options.Trust, cancellationToken);
        var taken = false;
        var handler = new SocketsHttpHandler
        {
            UseProxy = false,
            AllowAutoRedirect = false,
            PooledConnectionIdleTimeout = Timeout.InfiniteTimeSpan,
            EnableMultipleHttp2Connections = false,
            ActivityHeadersPropagator = null,
            UseCookies = false,
            // Reports come every few seconds: only a receiver that has vanished is asked whether it is there.
            KeepAlivePingDelay = GrpcAddress.Silence,
            KeepAlivePingTimeout = GrpcAddress.Silence,
            KeepAlivePingPolicy = HttpKeepAlivePingPolicy.WithActiveRequests,
            ConnectCallback = (_, _) =>
            {
                // One session, one connection: a second attempt would mean that the first is gone.
                if (taken)
                    throw new IOException("the connection is gone");
                taken = true;
                return ValueTask.FromResult(stream);
            },
        };
        var channel = GrpcChannel.ForAddress(to, new GrpcChannelOptions { HttpHandler = handler, DisposeHttpClient = true, MaxReceiveMessageSize = 64 * 1024 });
        var headers = new Metadata();
        if (options.Token is { } token)
            headers.Add("authorization", $"Bearer {token}");
        var call = new Stream.StreamClient(channel).Session(headers, cancellationToken: CancellationToken.None);
        return new SenderSession(to, channel, call, socket);
    }

    private static async Task<Socket> OpenAsync(Uri to, CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(TimeSpan.FromSeconds(20));
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(to.Host, to.Port, patience.Token);
            return socket;
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException && !cancellationToken.IsCancellationRequested)
        {
            socket.Dispose();
            var why = e is SocketException s ? s.Message : "no answer within 20 s";
            throw new TransportException(TransportError.Unreachable,
                $"cannot reach a receiver at {to}: {why}; start one with ./cmvc receive --listen URL, or mend --to", e);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private sealed class SenderSession(Uri to, GrpcChannel channel, AsyncDuplexStreamingCall<SenderMessage, ReceiverMessage> call, Socket socket)
        : ISession<SenderMessage, ReceiverMessage>
    {
        private readonly TcpWireMeter _meter = new(socket);
        private long _heardAt = Environment.TickCount64;
        private bool _heard, _over;

        public string Peer => to.ToString();

        public WireCounters Wire => _meter.Read();

        public async Task SendAsync(SenderMessage message, CancellationToken cancellationToken)
        {
            try
            {
                await call.RequestStream.WriteAsync(message, cancellationToken);
            }
            catch (Exception e) when (GrpcErrors.IsBreak(e))
            {
                throw Translate(e);
            }
        }

        public async IAsyncEnumerable<ReceiverMessage> ReceiveAsync([EnumeratorCancellation] CancellationToken cancellationToken)
        {
            while (true)
            {
                try
                {
                    if (!await call.ResponseStream.MoveNext(cancellationToken))
                    {
                        _over = true;
                        yield break;
                    }
                }
                catch (Exception e) when (GrpcErrors.IsBreak(e))
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    throw Translate(e);
                }

                (_heard, _heardAt) = (true, Environment.TickCount64);
                yield return call.ResponseStream.Current;
            }
        }

        public async Task CompleteAsync(CancellationToken cancellationToken)
        {
            try
            {
                await call.RequestStream.CompleteAsync();
            }
            catch (Exception e) when (GrpcErrors.IsBreak(e))
            {
                throw Translate(e);
            }
        }

        public ValueTask DisposeAsync()
        {
            _ = _meter.Read();
            if (!_over)
                Abort();
            call.Dispose();
            channel.Dispose();
            return ValueTask.CompletedTask;
        }

        /// <summary>What the kernel still holds of a session that is given up would take the link from the next one: it is thrown away.</summary>
        private void Abort()
        {
            try
            {
                socket.LingerState = new(true, 0);
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                // gone already
            }
        }

        private TransportException Translate(Exception e) =>
            GrpcErrors.Translate(e, call, to, _heard, TimeSpan.FromMilliseconds(Environment.TickCount64 - _heardAt));
    }
}

internal static class GrpcAddress
{
    /// <summary>
    /// After this long without a byte the other end is asked whether it is there, and has as long to answer: who vanished without a word is
    /// noticed within 50 s (HttpClient looks every 5 s). While either end talks, nothing is asked: a ping and its answer cost 140 bytes.
    /// </summary>
    public static readonly TimeSpan Silence = TimeSpan.FromSeconds(20);

    /// <exception cref="TransportException">No address that gRPC can use.</exception>
    public static void Check(Uri url, string flag)
    {
        if (!url.IsAbsoluteUri || (url.Scheme != Uri.UriSchemeHttp && url.Scheme != Uri.UriSchemeHttps) || url.Port is <= 0 and not 0)
            throw new TransportException(TransportError.BadAddress, $"{flag} '{url}' is no address: write for example http://127.0.0.1:50051");
    }
}

internal static class GrpcErrors
{
    public static bool IsBreak(Exception e) => e is RpcException or IOException or InvalidOperationException or HttpRequestException or SocketException;

    /// <summary>Makes of a failed call what the user should know.</summary>
    /// <param name="e">How it failed.</param>
    /// <param name="call">What failed.</param>
    /// <param name="to">The receiver.</param>
    /// <param name="heard">It has said something before.</param>
    /// <param name="silence">How long it has said nothing.</param>
    public static TransportException Translate(Exception e, AsyncDuplexStreamingCall<SenderMessage, ReceiverMessage> call, Uri to, bool heard, TimeSpan silence)
    {
        var status = (e as RpcException)?.Status ?? Known(call);
        return status.StatusCode switch
        {
            StatusCode.Unauthenticated or StatusCode.PermissionDenied => new(TransportError.Refused, $"the receiver at {to} refused us: {status.Detail}", e),
            StatusCode.FailedPrecondition or StatusCode.InvalidArgument => new(TransportError.Protocol, $"the receiver at {to} refused us: {status.Detail}", e),
            StatusCode.ResourceExhausted => new(TransportError.Busy, $"the receiver at {to} refused us: {status.Detail}", e),
            StatusCode.Unimplemented => new(TransportError.Protocol, $"what answers at {to} is no CmvcStream receiver ({status.Detail})", e),
            _ when silence >= GrpcAddress.Silence => new(TransportError.Broken,
                $"the receiver at {to} is gone: nothing was heard from it for {silence.TotalSeconds:0} s; look at the link and at the receiver, then start again ({status.Detail})", e),
            _ => new(TransportError.Broken, $"the connection to {to} broke: {(status.Detail.Length > 0 ? status.Detail : e.Message)}"
                + (heard ? "" : "; nothing was heard from a receiver there: does it listen on https:, or is it something else?"), e),
        };
    }

    private static Status Known(AsyncDuplexStreamingCall<SenderMessage, ReceiverMessage> call)
    {
        try
        {
            return call.GetStatus();
        }
        catch (InvalidOperationException)
        {
            return new Status(StatusCode.Unavailable, "");
        }
    }
}
