using System.Globalization;

namespace CmvcStream.Evaluate.Live;

/// <summary>An address where a peer can be reached.</summary>
internal readonly record struct IceCandidate(string Line, string Host, int Port)
{
    /// <summary>The same, reached over a relay.</summary>
    public string Through(string relay)
    {
        var words = Line.Split(' ');
        var at = relay.LastIndexOf(':');
        (words[4], words[5]) = (relay[..at], relay[(at + 1)..]);
        return string.Join(' ', words);
    }
}

/// <summary>What pages say to each other before they connect (SDP), as text that is changed on its way.</summary>
internal static class SessionDescription
{
    private const string LineEnd = "\r\n";

    /// <summary>Header extensions that are kept: without one of these the rate of a slow link cannot be estimated.</summary>
    private const string SendTime = "abs-send-time";

    /// <summary>The first address over UDP and IPv4; null: there is none.</summary>
    public static IceCandidate? HostCandidate(string sdp)
    {
        foreach (var line in sdp.Split(LineEnd).Where(l => l.StartsWith("a=candidate:", StringComparison.Ordinal)))
        {
            if (line.Split(' ') is [_, _, var protocol, _, var host, var port, "typ", "host", ..] && protocol.Equals("udp", StringComparison.OrdinalIgnoreCase)
                && System.Net.IPAddress.TryParse(host, out var address) && address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork)
                return new(line, host, int.Parse(port, CultureInfo.InvariantCulture));
        }

        return null;
    }

    public static string WithoutCandidates(string sdp) => Keep(sdp, line => !line.StartsWith("a=candidate:", StringComparison.Ordinal));

    /// <summary>With one more line in the last medium.</summary>
    public static string With(string sdp, string line) => sdp.TrimEnd() + LineEnd + line + LineEnd;

    /// <summary>
    /// Without what costs bytes in each packet and is not needed: all header extensions but the sending time, and the feedback about each packet, which
    /// the receiver's own estimate (REMB) replaces.
    /// </summary>
    public static string Slim(string sdp) => Keep(sdp, line => !(line.StartsWith("a=extmap:", StringComparison.Ordinal) && !line.Contains(SendTime, StringComparison.Ordinal))
        && !(line.StartsWith("a=rtcp-fb:", StringComparison.Ordinal) && line.EndsWith(" transport-cc", StringComparison.Ordinal)));

    /// <summary>Tells Chromium at which rates to begin and what not to go below, kbit/s. It reads both from the answer.</summary>
    public static string WithRates(string sdp, int start, int least)
    {
        var wish = string.Create(CultureInfo.InvariantCulture, $"x-google-start-bitrate={start};x-google-min-bitrate={least}");
        var lines = sdp.Split(LineEnd).ToList();
        var map = lines.FindIndex(l => l.StartsWith("a=rtpmap:", StringComparison.Ordinal));
        if (map < 0)
            return sdp;
        var format = "a=fmtp:" + lines[map]["a=rtpmap:".Length..lines[map].IndexOf(' ', StringComparison.Ordinal)] + " ";
        var known = lines.FindIndex(l => l.StartsWith(format, StringComparison.Ordinal));
        if (known >= 0)
            lines[known] += ";" + wish;
        else
            lines.Insert(map + 1, format + wish);
        return string.Join(LineEnd, lines);
    }

    private static string Keep(string sdp, Func<string, bool> wanted) => string.Join(LineEnd, sdp.Split(LineEnd).Where(wanted));
}
