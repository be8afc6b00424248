using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using CmvcStream.Protos;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace CmvcStream.Transport.Grpc;

/// <summary>A receiver that senders reach by gRPC: clear HTTP/2 (h2c) or TLS.</summary>
public sealed class GrpcReceiverTransport : IReceiverTransport
{
    public async Task<IListener> ListenAsync(Uri listen, TransportOptions options,
        Func<ISession<ReceiverMessage, SenderMessage>, CancellationToken, Task> serve, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(listen);
        GrpcAddress.Check(listen, "--listen");
        var secure = listen.Scheme == Uri.UriSchemeHttps;
        if (secure && options.Certificate is null)
            throw new TransportException(TransportError.BadAddress, $"--listen {listen}: https: needs a certificate");
        var meters = new ConcurrentDictionary<string, TcpWireMeter>();
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { Args = [] });
        builder.Logging.ClearProviders();
        builder.WebHost.UseShutdownTimeout(TimeSpan.FromSeconds(2));
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MinRequestBodyDataRate = null;
            kestrel.Limits.MinResponseDataRate = null;
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.Limits.MaxConcurrentConnections = 64;
            // A sender that vanished without a word must not keep the next one out. One that sends is never asked.
            kestrel.Limits.Http2.KeepAlivePingDelay = GrpcAddress.Silence;
            kestrel.Limits.Http2.KeepAlivePingTimeout = GrpcAddress.Silence;
            kestrel.Listen(Address(listen), listen.Port, endpoint =>
            {
                endpoint.Protocols = HttpProtocols.Http2;
                endpoint.Use(next => async connection =>
                {
                    if (connection.Features.Get<IConnectionSocketFeature>()?.Socket is { } socket)
                        meters[connection.ConnectionId] = new TcpWireMeter(socket);
                    try
                    {
                        await next(connection);
                    }
                    finally
                    {
                        meters.TryRemove(connection.ConnectionId, out _);
                    }
                });
                if (secure)
                {
                    endpoint.UseHttps(https =>
                    {
                        https.ServerCertificate = options.Certificate!.Certificate;
                        https.ServerCertificateChain = options.Certificate.Chain;
                        https.HandshakeTimeout = TlsClient.Patience;
                        // A sender connects once: tickets to resume the session would be some 500 bytes for nothing.
                        https.OnAuthenticate = (_, tls) => tls.AllowTlsResume = false;
                    });
                }
            });
        });
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.Services.AddGrpc(grpc => grpc.MaxReceiveMessageSize = 256 * 1024);
        builder.Services.AddSingleton(new StreamService(options, meters, serve));
        var app = builder.Build();
        app.MapGrpcService<StreamService>();
        try
        {
            await app.StartAsync(cancellationToken);
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            await app.DisposeAsync();
            var inUse = e.InnerException is AddressInUseException || e is SocketException { SocketErrorCode: SocketError.AddressAlreadyInUse };
            throw new TransportException(inUse ? TransportError.AddressInUse : TransportError.BadAddress,
                inUse ? $"--listen {listen}: the port is in use; stop what uses it or choose another"
                      : $"--listen {listen}: {e.Message}", e);
        }

        var bound = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
        return new Listener(app, new UriBuilder(listen) { Port = new Uri(bound).Port }.Uri);
    }

    private static IPAddress Address(Uri listen)
    {
        if (IPAddress.TryParse(listen.DnsSafeHost, out var address))
            return address;
        if (listen.Host is "localhost")
            return IPAddress.Loopback;
        if (listen.Host is "*" or "+")
            return IPAddress.IPv6Any;
        try
        {
            return Dns.GetHostAddresses(listen.DnsSafeHost).First();
        }
        catch (Exception e) when (e is SocketException or InvalidOperationException)
        {
            throw new TransportException(TransportError.BadAddress, $"--listen {listen}: no such host; write for example http://0.0.0.0:50051", e);
        }
    }

    private sealed class Listener(WebApplication app, Uri url) : IListener
    {
        public Uri Url => url;

        public async ValueTask DisposeAsync()
        {
            await app.StopAsync();
            await app.DisposeAsync();
        }
    }
}

/// <summary>The gRPC service: hands each call to the receiver.</summary>
internal sealed class StreamService(TransportOptions options, ConcurrentDictionary<string, TcpWireMeter> meters,
    Func<ISession<ReceiverMessage, SenderMessage>, CancellationToken, Task> serve) : Stream.StreamBase
{
    /// <summary>A sender's connection, its fresh one and some that try in vain.</summary>
    private const int MostSessions = 8;

    private int _open;

    public override async Task Session(IAsyncStreamReader<SenderMessage> requestStream, IServerStreamWriter<ReceiverMessage> responseStream, ServerCallContext context)
    {
        if (options.Token is { } token && !SameSecret($"Bearer {token}", context.RequestHeaders.GetValue("authorization")))
            throw new RpcException(new Status(StatusCode.Unauthenticated, "wrong or missing token: start the sender with the receiver's --token"));
        meters.TryGetValue(context.GetHttpContext().Connection.Id, out var meter);
        try
        {
            if (Interlocked.Increment(ref _open) > MostSessions)
                throw new RpcException(new Status(StatusCode.ResourceExhausted, "too many connections at once"));
            var session = new ReceiverSession(context, requestStream, responseStream, meter);
            await serve(session, context.CancellationToken);
        }
        catch (TransportException e) when (e.Error == TransportError.Protocol)
        {
            throw new RpcException(new Status(StatusCode.FailedPrecondition, e.Message));
        }
        catch (TransportException e) when (e.Error == TransportError.Busy)
        {
            throw new RpcException(new Status(StatusCode.ResourceExhausted, e.Message));
        }
        finally
        {
            // The socket is open for a little longer: who asks afterwards gets these figures, not those of whenever it was asked last.
            meter?.Read();
            Interlocked.Decrement(ref _open);
        }
    }

    private static bool SameSecret(string expected, string? given) =>
        given is not null && CryptographicOperations.FixedTimeEquals(
            SHA256.HashData(Encoding.UTF8.GetBytes(expected)), SHA256.HashData(Encoding.UTF8.GetBytes(given)));

    private sealed class ReceiverSession(ServerCallContext context, IAsyncStreamReader<SenderMessage> requests,
        IServerStreamWriter<ReceiverMessage> responses, TcpWireMeter? meter) : ISession<ReceiverMessage, SenderMessage>
    {
        public string Peer => context.Peer;

        public WireCounters Wire => meter?.Read() ?? default;

        public async Task SendAsync(ReceiverMessage message, CancellationToken cancellationToken)
        {
            try
            {
                await responses.WriteAsync(message, cancellationToken);
            }
            catch (Exception e) when (GrpcErrors.IsBreak(e))
            {
                throw new TransportException(TransportError.Broken, $"the connection from {Peer} broke: {e.Message}", e);
            }
        }

        public async IAsyncEnumerable<SenderMessage> ReceiveAsync([EnumeratorCancellation] CancellationToken cancellationToken)
        {
            while (true)
            {
                try
                {
                    if (!await requests.MoveNext(cancellationToken))
                        yield break;
                }
                catch (Exception e) when (GrpcErrors.IsBreak(e))
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    throw new TransportException(TransportError.Broken, $"the connection from {Peer} broke: {e.Message}", e);
                }

                yield return requests.Current;
            }
        }

        public Task CompleteAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
