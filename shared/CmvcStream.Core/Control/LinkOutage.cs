using CmvcStream.Core.Media;

namespace CmvcStream.Core.Control;

/// <summary>A time in which a link carries nothing.</summary>
/// <param name="Start">When it begins, from the link's own beginning.</param>
/// <param name="Length">How long it lasts.</param>
public readonly record struct LinkOutage(MediaTime Start, MediaTime Length)
{
    /// <summary>Longer than any run: an outage that ends only when the settings are changed.</summary>
    public static readonly MediaTime Endless = MediaTime.FromSeconds(1e9);

    public MediaTime End => Start + Length;

    /// <summary>Reads "20s@60s": 20 s long, beginning 60 s after the start.</summary>
    /// <exception cref="FormatException">The text is no outage; the message says what is expected.</exception>
    public static LinkOutage Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var at = text.IndexOf('@', StringComparison.Ordinal);
        if (at < 0)
            throw new FormatException($"'{text}' is no outage; write LENGTH@START, for example 20s@60s: 20 s long, beginning 60 s after the start");
        var outage = new LinkOutage(Duration.Parse(text[(at + 1)..]), Duration.Parse(text[..at]));
        return outage.Length > MediaTime.Zero ? outage : throw new FormatException($"'{text}': an outage lasts longer than 0 s");
    }

    public override string ToString() => $"{Length} from {Start} on";
}
