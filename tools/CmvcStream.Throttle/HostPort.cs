using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace CmvcStream.Throttle;

/// <summary>Where to listen or to connect: a name or an address, and a port.</summary>
public readonly record struct HostPort(string Host, int Port)
{
    /// <summary>Reads "127.0.0.1:5000", "localhost:5000" or "[::1]:5000".</summary>
    /// <exception cref="FormatException">The text is no host and port; the message says what is expected.</exception>
    public static HostPort Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var colon = text.LastIndexOf(':');
        var host = colon > 0 ? text[..colon] : "";
        if (host.StartsWith('[') && host.EndsWith(']'))
            host = host[1..^1];
        else if (host.Contains(':', StringComparison.Ordinal))
            host = "";
        if (Uri.CheckHostName(host) == UriHostNameType.Unknown
            || !int.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port) || port > 65535)
            throw new FormatException($"'{text}' is no HOST:PORT; write for example 127.0.0.1:5000 or [::1]:5000");
        return new(host, port);
    }

    public override string ToString() => Host.Contains(':', StringComparison.Ordinal) ? $"[{Host}]:{Port}" : $"{Host}:{Port}";

    /// <summary>The address behind the name, IPv4 before IPv6.</summary>
    /// <exception cref="SocketException">The name is unknown.</exception>
    internal async Task<IPEndPoint> ResolveAsync(CancellationToken cancellationToken)
    {
        var found = await Dns.GetHostAddressesAsync(Host, cancellationToken);
        return new(found.FirstOrDefault(a => a.AddressFamily == AddressFamily.InterNetwork) ?? found[0], Port);
    }
}
