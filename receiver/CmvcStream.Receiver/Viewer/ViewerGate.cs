using System.Net;
using System.Security.Cryptography;
using System.Text;

namespace CmvcStream.Receiver.Viewer;

/// <summary>
/// Who may see the stream. Other web sites must not reach it through a visitor's browser: a page of theirs has another Origin, and
/// a name of theirs that resolves to this machine (DNS rebinding) is another Host.
/// </summary>
internal sealed class ViewerGate(ViewerOptions options)
{
    private readonly byte[]? _token = options.Token is { } token ? Hash(token) : null;

    /// <summary>Is the Host header one of ours: a plain address, this machine's name or the name that was asked for?</summary>
    /// <remarks>With a token any name will do: who has been given the token is no stranger.</remarks>
    public bool AllowsHost(string host)
    {
        if (host.Length == 0 || !Uri.TryCreate($"http://{host}/", UriKind.Absolute, out var uri) || uri.PathAndQuery != "/" || uri.UserInfo.Length > 0)
            return false;
        return _token is not null
            || IPAddress.TryParse(uri.Host.Trim('[', ']'), out _)
            || Same(uri.Host, "localhost") || Same(uri.Host, options.Url.Host) || Same(uri.Host, Environment.MachineName);
    }

    /// <summary>May a page of this origin open the socket? Programs that are no browsers send none.</summary>
    public static bool AllowsOrigin(string? origin, string host) =>
        string.IsNullOrEmpty(origin) || Same(origin, $"http://{host}") || Same(origin, $"https://{host}");

    /// <summary>Compares in a time that tells nothing of the right token.</summary>
    public bool AllowsToken(string? token) =>
        _token is null || CryptographicOperations.FixedTimeEquals(_token, Hash(token ?? ""));

    private static byte[] Hash(string text) => SHA256.HashData(Encoding.UTF8.GetBytes(text));

    private static bool Same(string a, string b) => string.Equals(a, b, StringComparison.OrdinalIgnoreCase);
}
