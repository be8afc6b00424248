namespace Grpc.Core.Internal;

/// <summary>Names and values that the protocol fixes (grpc/grpc doc/PROTOCOL-HTTP2.md).</summary>
internal static class GrpcHeaders
{
    public const string ContentType = "application/grpc";
    public const string Status = "grpc-status";
    public const string Message = "grpc-message";
    public const string Timeout = "grpc-timeout";
    public const string Encoding = "grpc-encoding";
    public const string AcceptEncoding = "grpc-accept-encoding";
    public const string IdentityEncoding = "identity";

    /// <summary>In a call's metadata: compress its requests so. Consumed here, never sent; the name is the official client's.</summary>
    public const string RequestEncodingOption = "grpc-internal-encoding-request";

    private static readonly HashSet<string> s_reserved = new(StringComparer.OrdinalIgnoreCase)
    {
        Status, Message, Timeout, Encoding, AcceptEncoding, RequestEncodingOption,
        "content-type", "content-length", "te", "host", "connection", "transfer-encoding", "date", "server", "trailer",
    };

    /// <summary>Whether the name belongs to gRPC or HTTP and is therefore no metadata.</summary>
    public static bool IsReserved(string name) => name.StartsWith(':') || s_reserved.Contains(name);

    /// <summary>application/grpc, alone or with a message format or parameters behind it; not application/grpc-web.</summary>
    public static bool IsGrpcContentType(string? contentType) =>
        contentType is not null
        && contentType.StartsWith(ContentType, StringComparison.OrdinalIgnoreCase)
        && (contentType.Length == ContentType.Length || contentType[ContentType.Length] is '+' or ';' or ' ');
}
