using System.Globalization;
using CmvcStream.Core.Control;
using CmvcStream.Core.Media;

namespace CmvcStream.Throttle;

/// <summary>How a link's figures are written: on the command line and in what is sent to the control address.</summary>
internal static class LinkText
{
    /// <summary>Reads "2%".</summary>
    /// <exception cref="FormatException">The text is no share; the message says what is expected.</exception>
    public static double ParseShare(string text)
    {
        var t = text.Trim();
        return t == "0" ? 0
            : t.EndsWith('%') && double.TryParse(t.AsSpan(0, t.Length - 1), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var percent)
            && percent <= 100 ? percent / 100
            : throw new FormatException($"'{text}' is no share of packets; write for example 2% (0% to 100%)");
    }

    /// <summary>Reads "2%", or "2%,burst=5": of so many packets in a row.</summary>
    /// <exception cref="FormatException">The text is no loss; the message says what is expected.</exception>
    public static (double Loss, double? Burst) ParseLoss(string text)
    {
        var comma = text.IndexOf(',', StringComparison.Ordinal);
        if (comma < 0)
            return (ParseShare(text), null);
        const string Burst = "burst=";
        var rest = text[(comma + 1)..].Trim();
        return rest.StartsWith(Burst, StringComparison.Ordinal)
            && double.TryParse(rest.AsSpan(Burst.Length), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var length)
            ? (ParseShare(text[..comma]), length)
            : throw new FormatException($"'{text}' is no loss; write for example 2%, or 2%,burst=5 for bursts of 5 packets on average");
    }

    /// <summary>One line about a link, for people.</summary>
    public static string Describe(LinkSettings link, MediaTime now)
    {
        var rate = link.Trace is { } trace ? $"trace of {trace.Mean}" : link.Rate?.ToString() ?? "no limit";
        var burst = link.LossBurst is { } length ? string.Create(CultureInfo.InvariantCulture, $" in bursts of {length:0.#}") : "";
        return string.Create(CultureInfo.InvariantCulture,
            $"{rate}, delay {link.Delay.Milliseconds:0} ± {link.Jitter.Milliseconds:0} ms, loss {link.Loss * 100:0.##} %{burst}{(link.IsUp(now) ? "" : ", OUTAGE")}");
    }
}
