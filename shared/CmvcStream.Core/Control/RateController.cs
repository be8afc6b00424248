using CmvcStream.Core.Media;
using CmvcStream.Protos;

namespace CmvcStream.Core.Control;

/// <summary>A change of mode, with its reason.</summary>
/// <param name="At">By the sender's clock.</param>
/// <param name="From">Mode left.</param>
/// <param name="To">Mode entered.</param>
/// <param name="Estimate">Of the link, at that moment.</param>
/// <param name="Reason">For people.</param>
public sealed record ModeChange(MediaTime At, StreamMode From, StreamMode To, Bitrate Estimate, string Reason);

/// <summary>Which mode the user asked for.</summary>
public enum ModeChoice
{
    Auto,
    It2v,
    Tt2v,
}

/// <summary>
/// Spends the estimate: the rate that packets may leave at, and the mode. Steps down at once and up gently; the mode changes only for what
/// lasts (dwell) and lies beyond a gap between two thresholds (hysteresis). What the rate is spent on (keyframe spacing, quality, coded
/// size, motion) follows in <see cref="KeyframeRateControl"/>.
/// </summary>
/// <param name="most">Never more than this.</param>
/// <param name="first">Assumed until something is known of the link.</param>
/// <param name="choice">Auto, or the only mode to use.</param>
public sealed class RateController(Bitrate most, Bitrate first, ModeChoice choice = ModeChoice.Auto)
{
    /// <summary>Below this no image is worth its bytes: a keyframe's headers take a third, and one would come every few seconds.</summary>
    public static readonly Bitrate ImagesBelow = new(2500);

    /// <summary>Above this images are sent again.</summary>
    public static readonly Bitrate ImagesAbove = new(3300);

    /// <summary>Slower than this nothing is: a packet of headers and a text a minute.</summary>
    public static readonly Bitrate Least = new(300);

    /// <summary>Of what the link carries: the rest lets queues drain, and pays for acknowledgements.</summary>
    private const double Share = 0.98;

    // Of the share, where packets wait in the link for longer than Waiting (seconds).
    private const double Draining = 0.85, Waiting = 0.7;

    /// <summary>At most so many times faster after a second.</summary>
    private const double GrowthPerSecond = 1.5;

    private static readonly MediaTime DownDwell = MediaTime.FromMilliseconds(200);
    private static readonly MediaTime UpDwell = MediaTime.FromSeconds(3);

    /// <summary>A mode stays for at least this.</summary>
    private static readonly MediaTime LeastStay = MediaTime.FromSeconds(4);

    private MediaTime _updated, _entered;
    private MediaTime? _since;

    /// <summary>What may leave now, bytes on the wire.</summary>
    public Bitrate Rate { get; private set; } = Min(most, first);

    public StreamMode Mode { get; private set; } = choice == ModeChoice.Tt2v ? StreamMode.Tt2V : StreamMode.It2V;

    /// <summary>Follows the estimate.</summary>
    /// <param name="now">The sender's clock.</param>
    /// <param name="estimate">What the link carries; null: nothing is known yet.</param>
    /// <param name="queueing">How long packets wait in it for each other.</param>
    /// <returns>A change of mode, or null.</returns>
    public ModeChange? Update(MediaTime now, Bitrate? estimate, MediaTime queueing)
    {
        var elapsed = (now - _updated).Seconds;
        _updated = now;
        if (estimate is not { } link)
            return null;
        var target = link.BitsPerSecond * Share * (queueing.Seconds > Waiting ? Draining : 1);
        target = Math.Clamp(target, Math.Min(Least.BitsPerSecond, most.BitsPerSecond), most.BitsPerSecond);
        Rate = new((long)Math.Min(target, Math.Max(Rate.BitsPerSecond, Least.BitsPerSecond) * Math.Pow(GrowthPerSecond, Math.Min(elapsed, 1))));
        return choice == ModeChoice.Auto ? Decide(now, Min(link, most)) : null;
    }

    private static Bitrate Min(Bitrate a, Bitrate b) => a.BitsPerSecond < b.BitsPerSecond ? a : b;

    private ModeChange? Decide(MediaTime now, Bitrate link)
    {
        var images = Mode == StreamMode.It2V;
        var wrong = images ? link.BitsPerSecond < ImagesBelow.BitsPerSecond : link.BitsPerSecond > ImagesAbove.BitsPerSecond;
        if (!wrong)
        {
            _since = null;
            return null;
        }

        _since ??= now;
        if (now - _since.Value < (images ? DownDwell : UpDwell) || (now - _entered < LeastStay && _entered > MediaTime.Zero))
            return null;
        var to = images ? StreamMode.Tt2V : StreamMode.It2V;
        var why = images
            ? $"the link carries {link}, less than {ImagesBelow}: no image fits"
            : $"the link carries {link}, more than {ImagesAbove}: images fit again";
        var change = new ModeChange(now, Mode, to, link, why);
        (Mode, _entered, _since) = (to, now, null);
        return change;
    }
}
