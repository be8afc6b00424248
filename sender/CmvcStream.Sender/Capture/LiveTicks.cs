using CmvcStream.Core.Media;

namespace CmvcStream.Sender.Capture;

/// <summary>
/// Gives arriving pictures their ticks. A steady source counts 0, 1, 2 ... whatever the jitter of arrival; after a gap, and
/// as two clocks drift apart, the count is corrected, so that a tick is never more than <see cref="Slack"/> off true time.
/// </summary>
public sealed class LiveTicks(FrameRate rate)
{
    public const int Slack = 2;

    private long _next;

    /// <summary>The tick of a picture that arrives now, or null when it is one too many (a burst after a gap).</summary>
    /// <param name="elapsed">Since tick 0; never falls.</param>
    public long? Next(TimeSpan elapsed)
    {
        var now = elapsed.TotalSeconds * rate.Hertz;
        if (now < _next - Slack)
            return null;
        if (now > _next + Slack)
            _next = (long)Math.Round(now);
        return _next++;
    }
}
