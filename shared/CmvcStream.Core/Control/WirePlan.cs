using CmvcStream.Core.Media;

namespace CmvcStream.Core.Control;

/// <summary>How a rate on the wire divides: headers, what else is sent, and what is left for keyframes.</summary>
public sealed class WirePlan
{
    /// <summary>Part headers of keyframes, texts and control, bytes a second at 8 kbit/s; in proportion at other rates.</summary>
    private const double SmallParts = 0.035;

    /// <param name="rate">Wire rate.</param>
    /// <param name="overhead">What a message costs.</param>
    /// <param name="coalesce">Time between packets.</param>
    public WirePlan(Bitrate rate, WireOverhead overhead, MediaTime coalesce)
    {
        Overhead = overhead;
        var headers = overhead.WireBytes(0) / Math.Max(coalesce.Seconds, 0.05);
        // One acknowledgement for each of the receiver's reports, every 3 s.
        var acknowledgements = overhead.PerSegment / 3.0;
        var left = rate.BytesPerSecond * (1 - SmallParts) - headers - acknowledgements;
        Keyframes = new((long)(Math.Max(left, rate.BytesPerSecond * 0.25) * 8));
    }

    public WireOverhead Overhead { get; }

    /// <summary>What keyframes (and motion in their place) may cost.</summary>
    public Bitrate Keyframes { get; }
}
