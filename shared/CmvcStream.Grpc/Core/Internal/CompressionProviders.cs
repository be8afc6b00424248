using Grpc.Net.Compression;

namespace Grpc.Core.Internal;

internal static class CompressionProviders
{
    public static ICompressionProvider? Find(IEnumerable<ICompressionProvider>? providers, string? encoding) =>
        encoding is null ? null : providers?.FirstOrDefault(provider => provider.EncodingName == encoding);

    /// <summary>What a header grpc-accept-encoding says; empty when nothing can be decompressed.</summary>
    public static string AcceptEncoding(IEnumerable<ICompressionProvider>? providers) =>
        providers is null ? "" : string.Join(',', providers.Select(provider => provider.EncodingName));

    public static bool Accepts(string? acceptEncoding, string encoding) =>
        acceptEncoding?.Split(',', StringSplitOptions.TrimEntries).Contains(encoding) == true;
}
