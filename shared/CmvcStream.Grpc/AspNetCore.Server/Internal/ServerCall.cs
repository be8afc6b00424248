using System.Buffers;
using System.Globalization;
using System.Net.Sockets;
using Grpc.Core;
using Grpc.Core.Internal;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Grpc.AspNetCore.Server.Internal;

/// <summary>One call on the server: its context for the handler, its messages in and out, and its one end.</summary>
internal sealed class ServerCall : ServerCallContext, IAsyncDisposable
{
    /// <summary>How a call ends whose deadline passes here.</summary>
    public static readonly Status DeadlineStatus = new(StatusCode.DeadlineExceeded, "The deadline passed.");

    private static readonly TimeSpan s_longestTimer = TimeSpan.FromMilliseconds(uint.MaxValue - 1);

    private readonly GrpcServiceOptions _options;
    private readonly CancellationTokenSource _cancelled;
    private readonly TaskCompletionSource _deadlinePassed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly SemaphoreSlim _output = new(1, 1);
    private DateTime _deadline = DateTime.MaxValue;
    private Timer? _deadlineTimer;
    private Metadata? _requestHeaders;
    private MessageReader? _reader;
    private MessageFramer? _framer;
    private bool _ended;

    public ServerCall(HttpContext context, GrpcServiceOptions options)
    {
        HttpContext = context;
        _options = options;
        _cancelled = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
        CancellationTokenCore = _cancelled.Token;
    }

    public HttpContext HttpContext { get; }

    public Task DeadlinePassed => _deadlinePassed.Task;

    public bool IsDeadlinePassed => _deadlinePassed.Task.IsCompleted;

    public TimeSpan? Timeout { get; private set; }

    protected override string MethodCore => HttpContext.Request.Path.Value!;

    protected override string HostCore => HttpContext.Request.Host.Value!;

    protected override string PeerCore => HttpContext.Connection.RemoteIpAddress switch
    {
        null => "unknown",
        { AddressFamily: AddressFamily.InterNetworkV6 } ip => $"ipv6:[{ip}]:{HttpContext.Connection.RemotePort}",
        var ip => $"ipv4:{ip}:{HttpContext.Connection.RemotePort}",
    };

    protected override DateTime DeadlineCore => _deadline;

    protected override Metadata RequestHeadersCore => _requestHeaders ?? Metadata.Empty;

    protected override CancellationToken CancellationTokenCore { get; }

    protected override Metadata ResponseTrailersCore { get; } = [];

    protected override Status StatusCore { get; set; }

    protected override WriteOptions? WriteOptionsCore { get; set; }

    /// <summary>Takes deadline, encodings and metadata from the request's headers, and prepares the response's.</summary>
    /// <exception cref="RpcException">A header is wrong, or names an encoding that is not known.</exception>
    public void ReadRequestHead()
    {
        var headers = HttpContext.Request.Headers;
        StartDeadline(headers[GrpcHeaders.Timeout]);

        var encoding = (string?)headers[GrpcHeaders.Encoding];
        var decompression = CompressionProviders.Find(_options.CompressionProviders, encoding);
        if (encoding is not null and not GrpcHeaders.IdentityEncoding && decompression is null)
        {
            var accepted = $"{GrpcHeaders.IdentityEncoding},{CompressionProviders.AcceptEncoding(_options.CompressionProviders)}".TrimEnd(',');
            HttpContext.Response.Headers[GrpcHeaders.AcceptEncoding] = accepted;
            throw new RpcException(new Status(StatusCode.Unimplemented, $"The encoding '{encoding}' is not supported: use one of {accepted}."));
        }

        _requestHeaders = [];
        foreach (var (name, values) in headers)
            foreach (var value in values)
                MetadataCodec.AddReceived(_requestHeaders, name, value ?? "");

        var response = CompressionProviders.Find(_options.CompressionProviders, _options.ResponseCompressionAlgorithm);
        if (response is not null && !CompressionProviders.Accepts(headers[GrpcHeaders.AcceptEncoding], response.EncodingName))
            response = null;
        if (response is not null)
            HttpContext.Response.Headers[GrpcHeaders.Encoding] = response.EncodingName;
        HttpContext.Response.ContentType = GrpcHeaders.ContentType;
        _framer = new MessageFramer(_options.MaxSendMessageSize, response, _options.ResponseCompressionLevel);
        _reader = new MessageReader(HttpContext.Request.BodyReader, _options.MaxReceiveMessageSize, encoding, decompression);
    }

    /// <summary>The next request, or Found = false when the client has completed its stream.</summary>
    /// <exception cref="OperationCanceledException">The client is gone, or the deadline has passed.</exception>
    public async Task<(bool Found, T? Message)> ReadAsync<T>(Marshaller<T> marshaller, CancellationToken cancellationToken)
    {
        using var linked = cancellationToken.CanBeCanceled
            ? CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, CancellationToken) : null;
        try
        {
            CancellationToken.ThrowIfCancellationRequested();
            return await _reader!.ReadAsync(marshaller.ContextualDeserializer, linked?.Token ?? CancellationToken);
        }
        catch (IOException e)
        {
            // The stream was reset or the connection lost; the request's own token may learn of it a little later.
            _cancelled.Cancel();
            throw new OperationCanceledException("The client is gone.", e, CancellationToken);
        }
    }

    /// <summary>The one request of a call that has one.</summary>
    public async Task<T> ReadSingleAsync<T>(Marshaller<T> marshaller)
    {
        var (found, message) = await ReadAsync(marshaller, CancellationToken.None);
        if (!found)
            throw new RpcException(new Status(StatusCode.Internal, $"The client sent no request to {Method}."));
        if ((await ReadAsync(marshaller, CancellationToken.None)).Found)
            throw new RpcException(new Status(StatusCode.Internal, $"The client sent more than one request to {Method}."));
        return message!;
    }

    /// <summary>Sends a message in one write. The last one is not flushed: it shares its packet with the trailers.</summary>
    public async Task WriteAsync<T>(T message, Marshaller<T> marshaller, WriteOptions? options, bool isLast, CancellationToken cancellationToken)
    {
        if (message is null)
            throw new RpcException(new Status(StatusCode.Internal, $"The handler of {Method} returned null in place of a message."));
        cancellationToken.ThrowIfCancellationRequested();
        CancellationToken.ThrowIfCancellationRequested();
        if (!_output.Wait(0, CancellationToken.None))
            throw new InvalidOperationException("The previous write to this stream is still in progress.");
        try
        {
            if (_ended)
                throw new InvalidOperationException("The call has ended: no message can be written.");
            var frame = _framer!.Frame(message, marshaller.ContextualSerializer, options);
            if (!HttpContext.Response.HasStarted)
                await HttpContext.Response.StartAsync(CancellationToken);
            var body = HttpContext.Response.BodyWriter;
            body.Write(frame.Span);
            if (isLast || options?.Flags.HasFlag(WriteFlags.BufferHint) == true)
                return;
            using var linked = cancellationToken.CanBeCanceled
                ? CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, CancellationToken) : null;
            var flushed = await body.FlushAsync(linked?.Token ?? CancellationToken);
            if (flushed.IsCompleted || flushed.IsCanceled)
                throw new OperationCanceledException("The client is gone.", CancellationToken);
        }
        finally
        {
            _output.Release();
        }
    }

    /// <summary>Ends the call for the client although its handler still runs; the handler's token is cancelled.</summary>
    public async Task EndAtDeadlineAsync()
    {
        await EndAsync(DeadlineStatus);
        await HttpContext.Response.CompleteAsync();
        // The client's half of the stream is closed too, without an error: all that it needs to know has been sent.
        HttpContext.Features.Get<IHttpResetFeature>()?.Reset(errorCode: 0);
    }

    /// <summary>Puts the status behind the last message, or in the place of the headers where nothing has been sent. Once a call.</summary>
    public async Task EndAsync(Status status)
    {
        await _output.WaitAsync(CancellationToken.None);
        try
        {
            if (_ended || HttpContext.RequestAborted.IsCancellationRequested)
                return;
            _ended = true;
            var response = HttpContext.Response;
            if (!response.HasStarted)
                response.ContentType = GrpcHeaders.ContentType;
            var target = response.HasStarted
                ? HttpContext.Features.GetRequiredFeature<IHttpResponseTrailersFeature>().Trailers : response.Headers;
            target[GrpcHeaders.Status] = ((int)status.StatusCode).ToString(CultureInfo.InvariantCulture);
            if (status.Detail.Length > 0)
                target[GrpcHeaders.Message] = StatusMessage.Encode(status.Detail);
            // A copy: past the deadline the handler may still be adding.
            foreach (var entry in ResponseTrailers.ToArray())
                if (!GrpcHeaders.IsReserved(entry.Key))
                    target.Append(entry.Key, MetadataCodec.ToHeaderValue(entry));
        }
        finally
        {
            _output.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_deadlineTimer is not null)
            await _deadlineTimer.DisposeAsync();
        _cancelled.Dispose();
        _framer?.Dispose();
        _output.Dispose();
    }

    protected override async Task WriteResponseHeadersAsyncCore(Metadata responseHeaders)
    {
        ArgumentNullException.ThrowIfNull(responseHeaders);
        var response = HttpContext.Response;
        if (response.HasStarted)
            throw new InvalidOperationException("The response headers have been sent: they go out with the first message at the latest.");
        foreach (var entry in responseHeaders)
        {
            if (GrpcHeaders.IsReserved(entry.Key))
                throw new InvalidOperationException($"'{entry.Key}' belongs to gRPC or HTTP and cannot be metadata: leave it out.");
            response.Headers.Append(entry.Key, MetadataCodec.ToHeaderValue(entry));
        }

        await response.BodyWriter.FlushAsync(CancellationToken);
    }

    private void StartDeadline(string? text)
    {
        if (text is null)
            return;
        if (!GrpcTimeout.TryDecode(text, out var timeout))
            throw new RpcException(new Status(StatusCode.Internal, $"The {GrpcHeaders.Timeout} '{text}' is not at most eight digits and one of H, M, S, m, u, n."));
        Timeout = timeout;
        var now = DateTime.UtcNow;
        _deadline = timeout < DateTime.MaxValue - now ? now + timeout : DateTime.MaxValue;
        if (timeout < s_longestTimer)
            _deadlineTimer = new Timer(static state => ((ServerCall)state!).PassDeadline(), this, timeout, System.Threading.Timeout.InfiniteTimeSpan);
    }

    private void PassDeadline()
    {
        if (!_deadlinePassed.TrySetResult())
            return;
        try
        {
            _cancelled.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // The call ended in the same moment.
        }
    }
}
