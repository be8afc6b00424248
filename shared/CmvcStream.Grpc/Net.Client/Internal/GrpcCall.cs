using System.IO.Pipelines;
using System.Net;
using System.Net.Http.Headers;
using Grpc.Core;
using Grpc.Core.Internal;
using Grpc.Net.Compression;

namespace Grpc.Net.Client.Internal;

/// <summary>One call as an HTTP/2 request: sends the headers, reads headers, messages and trailers, and ends with exactly one status.</summary>
internal sealed class GrpcCall<TRequest, TResponse>
{
    private const string UserAgent = "grpc-cmvc/0.1";

    private readonly GrpcChannel _channel;
    private readonly Method<TRequest, TResponse> _method;
    private readonly CallOptions _options;
    private readonly TimeSpan? _timeout;
    private readonly ICompressionProvider? _requestCompression;
    private Task<HttpResponseMessage>? _response;
    private MessageReader? _reader;

    public GrpcCall(GrpcChannel channel, Method<TRequest, TResponse> method, CallOptions options)
    {
        ObjectDisposedException.ThrowIf(channel.Closed.IsCancellationRequested, channel);
        _channel = channel;
        _method = method;
        _options = options;
        _timeout = Remaining(options.Deadline);
        _requestCompression = RequestCompression(channel, options.Headers);
        RefuseReserved(options.Headers);
        Outcome = new CallOutcome(_timeout, options.CancellationToken, channel.Closed, channel.ThrowOperationCanceled);
        ResponseHeadersAsync = Task.FromException<Metadata>(new InvalidOperationException("The call has not started."));
    }

    public CallOutcome Outcome { get; }

    public Task<Metadata> ResponseHeadersAsync { get; private set; }

    public void StartUnary(string? host, TRequest request)
    {
        try
        {
            // Not disposed of: the handler may send the request again on another connection for as long as the call lasts.
            var framer = new MessageFramer(_channel.MaxSendMessageSize, _requestCompression);
            var message = framer.Frame(request, _method.RequestMarshaller.ContextualSerializer, _options.WriteOptions);
            Start(host, new UnaryContent(message));
        }
        catch (RpcException e)
        {
            Outcome.TryEnd(e.Status);
            Start(host, null);
        }
    }

    public IClientStreamWriter<TRequest> StartStreaming(string? host)
    {
        var content = new StreamingContent();
        var framer = new MessageFramer(_channel.MaxSendMessageSize, _requestCompression);
        Start(host, content);
        return new RequestStreamWriter<TRequest>(content, framer, _method.RequestMarshaller.ContextualSerializer, Outcome)
        {
            WriteOptions = _options.WriteOptions,
        };
    }

    /// <summary>The one response, after which the stream must end.</summary>
    public Task<TResponse> ReadSingleAsync()
    {
        var response = ReadOnlyResponseAsync();
        Observe(response);
        return response;
    }

    /// <summary>The next message; at the end of the stream the call has its status, and anything but OK is thrown.</summary>
    public async Task<(bool Found, TResponse? Message)> ReadAsync(CancellationToken cancellationToken)
    {
        // A read that is given up leaves a hole in the stream: it ends the call.
        using var registration = cancellationToken.UnsafeRegister(
            _ => Outcome.TryEnd(StatusCode.Cancelled, "The caller cancelled a read."), null);
        try
        {
            var response = await _response!;
            if (!Outcome.IsEnded)
            {
                var result = await _reader!.ReadAsync(_method.ResponseMarshaller.ContextualDeserializer, Outcome.Ended);
                if (result.Found)
                    return result;
                EndWithTrailers(response.TrailingHeaders.NonValidated);
            }
        }
        catch (Exception e)
        {
            Outcome.TryEnd(StatusMapping.FromException(e));
        }

        return Outcome.Status.StatusCode == StatusCode.OK ? (false, default) : throw Outcome.ToException();
    }

    public Status GetStatus() => Outcome.Status;

    public Metadata GetTrailers() => Outcome.Trailers;

    public void Dispose() => Outcome.TryEnd(StatusCode.Cancelled, "The call was disposed of before it had ended.");

    private async Task<TResponse> ReadOnlyResponseAsync()
    {
        var (found, message) = await ReadAsync(CancellationToken.None);
        if (found && (await ReadAsync(CancellationToken.None)).Found)
            Outcome.TryEnd(StatusCode.Internal, $"The server sent more than one response to {_method.FullName}.");
        if (Outcome.Status.StatusCode != StatusCode.OK)
            throw Outcome.ToException();
        return found ? message! : throw new RpcException(new Status(
            StatusCode.Internal, $"The server ended {_method.FullName} with OK, but sent no response."), Outcome.Trailers);
    }

    private static TimeSpan? Remaining(DateTime? deadline)
    {
        if (deadline is null || deadline == DateTime.MaxValue)
            return null;
        if (deadline.Value.Kind != DateTimeKind.Utc && deadline != DateTime.MinValue)
            throw new InvalidOperationException("A deadline must be in UTC: use DateTime.UtcNow plus the time that the call may take.");
        var remaining = deadline.Value - DateTime.UtcNow;
        return remaining > TimeSpan.Zero ? remaining : TimeSpan.Zero;
    }

    private static ICompressionProvider? RequestCompression(GrpcChannel channel, Metadata? headers)
    {
        var encoding = headers?.GetValue(GrpcHeaders.RequestEncodingOption);
        if (encoding is null or GrpcHeaders.IdentityEncoding)
            return null;
        return CompressionProviders.Find(channel.CompressionProviders, encoding) ?? throw new InvalidOperationException(
            $"The channel has no compression '{encoding}': add it to GrpcChannelOptions.CompressionProviders.");
    }

    private static void RefuseReserved(Metadata? headers)
    {
        foreach (var entry in headers ?? Metadata.Empty)
            if (GrpcHeaders.IsReserved(entry.Key) && entry.Key != GrpcHeaders.RequestEncodingOption)
                throw new ArgumentException($"'{entry.Key}' belongs to gRPC or HTTP and cannot be metadata: leave it out.");
    }

    private void Start(string? host, HttpContent? content)
    {
        if (_timeout == TimeSpan.Zero)
            Outcome.TryEnd(StatusCode.DeadlineExceeded, "The deadline had passed before the call began.");
        _response = Outcome.IsEnded
            ? Task.FromException<HttpResponseMessage>(Outcome.ToException())
            : SendAsync(CreateRequest(host, content!));
        ResponseHeadersAsync = ReadHeadersAsync();
        Observe(_response);
        Observe(ResponseHeadersAsync);
    }

    private HttpRequestMessage CreateRequest(string? host, HttpContent content)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, new Uri(_channel.Address, _method.FullName))
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = content,
        };
        content.Headers.ContentType = new MediaTypeHeaderValue(GrpcHeaders.ContentType);
        request.Headers.Host = host;
        request.Headers.TryAddWithoutValidation("te", "trailers");
        request.Headers.TryAddWithoutValidation("user-agent", UserAgent);
        if (_timeout is { } timeout)
            request.Headers.TryAddWithoutValidation(GrpcHeaders.Timeout, GrpcTimeout.Encode(timeout));
        if (_requestCompression is not null)
            request.Headers.TryAddWithoutValidation(GrpcHeaders.Encoding, _requestCompression.EncodingName);
        if (_channel.CompressionProviders.Count > 0)
            request.Headers.TryAddWithoutValidation(GrpcHeaders.AcceptEncoding, CompressionProviders.AcceptEncoding(_channel.CompressionProviders));
        // HttpClient would join values of one name by a comma and a space; gRPC servers split at the comma alone.
        foreach (var entries in (_options.Headers ?? Metadata.Empty).GroupBy(entry => entry.Key))
            if (entries.Key != GrpcHeaders.RequestEncodingOption)
                request.Headers.TryAddWithoutValidation(entries.Key, string.Join(',', entries.Select(MetadataCodec.ToHeaderValue)));

        return request;
    }

    private async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request)
    {
        try
        {
            var response = await _channel.Invoker.SendAsync(request, Outcome.Ended);
            // Cancellation no longer reaches the handler once it has returned; disposing of the response resets the stream.
            Outcome.Ended.UnsafeRegister(static state => ((HttpResponseMessage)state!).Dispose(), response);
            ReadResponseHead(response);
            return response;
        }
        catch (Exception e)
        {
            Outcome.TryEnd(StatusMapping.FromException(e));
            throw Outcome.ToException();
        }
    }

    private void ReadResponseHead(HttpResponseMessage response)
    {
        var headers = response.Headers.NonValidated;
        if (headers.Contains(GrpcHeaders.Status))
        {
            EndWithTrailers(headers); // "Trailers-Only": the call is over
            return;
        }

        if (response.StatusCode != HttpStatusCode.OK)
            throw Failed(StatusMapping.FromHttpStatus((int)response.StatusCode), $"The server answered with HTTP status {(int)response.StatusCode}.");
        var contentType = response.Content.Headers.NonValidated.TryGetValues("content-type", out var values) ? values.ToString() : null;
        if (!GrpcHeaders.IsGrpcContentType(contentType))
            throw Failed(StatusCode.Unknown, $"The server answered with content type '{contentType}' and not {GrpcHeaders.ContentType}: this is no gRPC service.");
        var encoding = headers.TryGetValues(GrpcHeaders.Encoding, out var encodings) ? encodings.ToString() : null;
        _reader = new MessageReader(
            PipeReader.Create(response.Content.ReadAsStream(Outcome.Ended)), _channel.MaxReceiveMessageSize, encoding,
            CompressionProviders.Find(_channel.CompressionProviders, encoding));
    }

    private async Task<Metadata> ReadHeadersAsync()
    {
        var response = await _response!;
        return ToMetadata(response.Headers.NonValidated);
    }

    private void EndWithTrailers(HttpHeadersNonValidated trailers)
    {
        if (!trailers.TryGetValues(GrpcHeaders.Status, out var status))
            throw Failed(StatusCode.Unknown, $"The server ended the stream without a {GrpcHeaders.Status}.");
        // A number that we do not know is still an answer; the specification maps it to Unknown.
        var code = int.TryParse(status.ToString(), out var number) && Enum.IsDefined((StatusCode)number) ? (StatusCode)number : StatusCode.Unknown;
        var message = trailers.TryGetValues(GrpcHeaders.Message, out var text) ? StatusMessage.Decode(text.ToString()) : "";
        Outcome.TryEnd(new Status(code, message), ToMetadata(trailers));
    }

    private static Metadata ToMetadata(HttpHeadersNonValidated headers)
    {
        var metadata = new Metadata();
        foreach (var (name, values) in headers)
            foreach (var value in values)
                MetadataCodec.AddReceived(metadata, name, value);
        return metadata;
    }

    private static RpcException Failed(StatusCode code, string detail) => new(new Status(code, detail));

    // Callers may ignore one of the tasks of a call; its failure is then no unobserved exception.
    private static void Observe(Task task) => _ = task.ContinueWith(
        static t => _ = t.Exception, CancellationToken.None,
        TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
}
