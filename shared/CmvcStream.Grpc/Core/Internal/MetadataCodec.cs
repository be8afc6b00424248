namespace Grpc.Core.Internal;

/// <summary>Metadata entries as HTTP header values and back. Binary values travel as base64; we send it without padding.</summary>
internal static class MetadataCodec
{
    public static string ToHeaderValue(Metadata.Entry entry) =>
        entry.IsBinary ? Convert.ToBase64String(entry.BinaryValue).TrimEnd('=') : entry.Value;

    /// <summary>Adds a header that came, unless gRPC or HTTP owns its name.</summary>
    /// <exception cref="RpcException">Internal: a binary value is not base64.</exception>
    public static void AddReceived(Metadata metadata, string name, string value)
    {
        if (GrpcHeaders.IsReserved(name))
            return;
        var key = name.ToLowerInvariant();
        if (!key.EndsWith(Metadata.BinaryHeaderSuffix, StringComparison.Ordinal))
        {
            metadata.Add(Metadata.Entry.Received(key, value));
            return;
        }

        // HTTP may join headers of one name with commas; base64 has none.
        foreach (var part in value.Split(','))
            metadata.Add(Metadata.Entry.Received(key, FromBase64(key, part.Trim())));
    }

    private static byte[] FromBase64(string key, string text)
    {
        var padded = text.Length % 4 == 0 ? text : text.PadRight((text.Length + 3) / 4 * 4, '=');
        try
        {
            return Convert.FromBase64String(padded);
        }
        catch (FormatException)
        {
            throw new RpcException(new Status(StatusCode.Internal, $"The value of the binary metadata '{key}' is not base64."));
        }
    }
}
