namespace CmvcStream.Receiver.Viewer;

/// <summary>Where and for whom the page is served.</summary>
/// <param name="Url">http://HOST:PORT; port 0 takes a free one. HOST 0.0.0.0 or [::] serves on every address.</param>
public sealed record ViewerOptions(Uri Url)
{
    /// <summary>Asked for as ?token=... where set.</summary>
    public string? Token { get; init; }

    /// <summary>JPEG quality, 1 to 100.</summary>
    public int Quality { get; init; } = 82;

    /// <summary>Pages that may watch at a time.</summary>
    public int MaxViewers { get; init; } = 16;

    /// <summary>Reads what people write after --view.</summary>
    /// <exception cref="FormatException">The text is no URL that the page can be served at.</exception>
    public static ViewerOptions Parse(string url, string? token = null)
    {
        if (!Uri.TryCreate(url, UriKind.Absolute, out var uri) || uri.Scheme != Uri.UriSchemeHttp || uri.PathAndQuery != "/" || uri.UserInfo.Length > 0)
            throw new FormatException($"'{url}' is no address for the viewer page; write for example http://127.0.0.1:8080");
        return new(uri) { Token = string.IsNullOrEmpty(token) ? null : token };
    }
}
