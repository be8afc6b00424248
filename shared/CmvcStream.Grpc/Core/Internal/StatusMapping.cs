
namespace Grpc.Core.Internal;

/// <summary>What a failure below gRPC means as a status (doc/http-grpc-status-mapping.md, PROTOCOL-HTTP2.md "Errors").</summary>
internal static class StatusMapping
{
    public static StatusCode FromHttpStatus(int httpStatus) => httpStatus switch
    {
        400 => StatusCode.Internal,
        401 => StatusCode.Unauthenticated,
        403 => StatusCode.PermissionDenied,
        404 => StatusCode.Unimplemented,
        429 or 502 or 503 or 504 => StatusCode.Unavailable,
        _ => StatusCode.Unknown,
    };

    /// <summary>The error code of a RST_STREAM frame (RFC 9113, 7).</summary>
    public static StatusCode FromHttp2Error(long errorCode) => errorCode switch
    {
        0x5 => StatusCode.Unknown, // STREAM_CLOSED: no mapping
        >= 0x0 and <= 0x6 => StatusCode.Internal,
        0x7 => StatusCode.Unavailable, // REFUSED_STREAM
        0x8 => StatusCode.Cancelled,
        0x9 or 0xa => StatusCode.Internal, // COMPRESSION_ERROR, CONNECT_ERROR
        0xb => StatusCode.ResourceExhausted, // ENHANCE_YOUR_CALM
        0xc => StatusCode.PermissionDenied, // INADEQUATE_SECURITY
        _ => StatusCode.Unknown,
    };

    /// <summary>A failure of the HTTP client, with what to look at in the text.</summary>
    public static Status FromException(Exception exception)
    {
        for (var e = exception; e is not null; e = e.InnerException)
        {
            switch (e)
            {
                case RpcException rpc:
                    return rpc.Status;
                case HttpProtocolException reset when IsStreamReset(reset):
                    return new Status(FromHttp2Error(reset.ErrorCode), e.Message, exception);
                case HttpProtocolException:
                    return new Status(StatusCode.Unavailable, $"The connection failed: {e.Message}", exception);
            }
        }

        return exception switch
        {
            OperationCanceledException => new Status(StatusCode.Cancelled, "The call was cancelled.", exception),
            HttpRequestException { HttpRequestError: HttpRequestError.NameResolutionError or HttpRequestError.ConnectionError } =>
                new Status(StatusCode.Unavailable, $"Could not connect: {exception.GetBaseException().Message}", exception),
            HttpRequestException { HttpRequestError: HttpRequestError.SecureConnectionError } =>
                new Status(StatusCode.Unavailable, $"TLS failed: {exception.GetBaseException().Message}", exception),
            HttpRequestException or IOException =>
                new Status(StatusCode.Unavailable, $"The connection was lost: {exception.GetBaseException().Message}", exception),
            _ => new Status(StatusCode.Internal, $"The call failed: {exception.Message}", exception),
        };
    }

    // One exception type stands for a stream that the server reset, and for a connection that broke (GOAWAY, no answer to keep-alive
    // pings, frames that make no sense). Only its text, or the key of the text where texts are trimmed, tells them apart. Were that to
    // change, resets would pass as Unavailable, and a test of each code would fail.
    private static bool IsStreamReset(HttpProtocolException e) =>
        e.Message.Contains("reset the stream", StringComparison.Ordinal) || e.Message.Contains("http2_stream_error", StringComparison.Ordinal);
}
