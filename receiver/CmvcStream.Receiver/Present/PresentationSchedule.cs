using CmvcStream.Core.Media;

namespace CmvcStream.Receiver.Present;

/// <summary>One turn of the presentation clock: show frame <paramref name="Number"/> now.</summary>
/// <param name="Number">Presentation frame number, from the schedule's first frame; every number comes once, in order.</param>
/// <param name="Source">Source time to show: number / fps.</param>
/// <param name="Due">When it should have been shown, by the presentation clock.</param>
/// <param name="Now">When it is shown, by the presentation clock.</param>
public readonly record struct PresentationTick(long Number, MediaTime Source, MediaTime Due, MediaTime Now)
{
    /// <summary>How late this turn is; never negative.</summary>
    public MediaTime Late => Now > Due ? Now - Due : MediaTime.Zero;
}

/// <summary>
/// When which frame is shown, as arithmetic: frame n shows source time n / fps at (anchor + n / fps). Reads no clock.
/// A schedule that was overslept (garbage collection, a suspended machine) is caught up at <c>catchUp</c> times the normal speed,
/// so that no frame is left out and no burst swamps the sinks.
/// </summary>
public sealed class PresentationSchedule
{
    private readonly MediaTime _closest;
    private MediaTime? _origin;
    private MediaTime _notBefore = new(long.MinValue);

    /// <param name="rate">Presentation frames a second.</param>
    /// <param name="firstFrame">The number to begin with: 0, or a later one for a receiver that joins late.</param>
    /// <param name="catchUp">Highest speed, as a multiple of the normal one, at which lost time is made up; more than 1.</param>
    public PresentationSchedule(FrameRate rate, long firstFrame = 0, double catchUp = 4)
    {
        if (rate.Rate <= 0 || rate.Scale <= 0)
            throw new ArgumentOutOfRangeException(nameof(rate), $"{rate} is no frame rate");
        ArgumentOutOfRangeException.ThrowIfNegative(firstFrame);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(catchUp, 1);
        Rate = rate;
        NextFrame = firstFrame;
        _closest = MediaTime.FromSeconds(1 / (rate.Hertz * catchUp));
    }

    public FrameRate Rate { get; }

    /// <summary>The frame that is shown next.</summary>
    public long NextFrame { get; private set; }

    /// <summary>When <see cref="NextFrame"/> is due; null until <see cref="Anchor"/>.</summary>
    public MediaTime? Deadline
    {
        get
        {
            if (_origin is not { } origin)
                return null;
            var due = origin + SourceTimeOf(NextFrame);
            return due > _notBefore ? due : _notBefore;
        }
    }

    public MediaTime SourceTimeOf(long number) => MediaTime.FromTicks(number, Rate);

    /// <summary>
    /// Source time <paramref name="source"/> is to be shown at <paramref name="wall"/>. May be called again when the delay of
    /// presentation changes: later gives a pause, earlier is caught up; no number is repeated or left out.
    /// </summary>
    public void Anchor(MediaTime wall, MediaTime source) => _origin = wall - source;

    /// <summary>The turn for <see cref="NextFrame"/> if it is due at <paramref name="now"/>, and on to the next one; else null.</summary>
    public PresentationTick? Take(MediaTime now)
    {
        if (Deadline is not { } deadline || now < deadline)
            return null;
        var source = SourceTimeOf(NextFrame);
        var tick = new PresentationTick(NextFrame, source, _origin!.Value + source, now);
        NextFrame++;
        _notBefore = now + _closest;
        return tick;
    }
}
