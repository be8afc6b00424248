using CmvcStream.Core.Media;

namespace CmvcStream.Core.Control;

/// <summary>
/// The jitter buffer's depth: how long after its capture a picture is shown. It follows what arrivals need and never jumps: the clock runs
/// down to half as fast while pictures are missing anyway, and a few per cent faster to win time back.
/// </summary>
/// <param name="reserve">Added to what the first arrival needs: those that follow, of more bytes and with the gap before them, need more.</param>
public sealed class PlayoutDelay(MediaTime reserve = default)
{
    /// <summary>A reserve for pictures that are made between two keyframes.</summary>
    public static readonly MediaTime Smooth = MediaTime.FromMilliseconds(700);

    private const double SpeedUp = 0.04, SlowDown = 0.5;

    private static readonly MediaTime Margin = MediaTime.FromMilliseconds(80);
    private static readonly MediaTime Window = MediaTime.FromSeconds(12);

    /// <summary>For so long the last picture may stay, now and then.</summary>
    private static readonly MediaTime Tolerated = MediaTime.FromMilliseconds(400);

    private readonly Queue<(MediaTime At, MediaTime Need)> _needs = new();
    private MediaTime _need;
    private MediaTime? _updated;

    /// <summary>Wall time minus source time at which pictures are shown; null before the first arrival.</summary>
    public MediaTime? Offset { get; private set; }

    /// <summary>Tells of an arrival at wall time <paramref name="now"/> that lets source times from <paramref name="from"/> on be shown.</summary>
    public void Arrived(MediaTime now, MediaTime from)
    {
        _needs.Enqueue((now, now - from + Margin));
        while (_needs.Count > 1 && _needs.Peek().At < now - Window)
            _needs.Dequeue();
        _need = Need();
        Offset ??= _need + reserve;
    }

    /// <summary>Moves the offset towards what is needed; call it once a presentation frame.</summary>
    public MediaTime? Update(MediaTime now)
    {
        var elapsed = _updated is { } last ? (now - last).Seconds : 0;
        _updated = now;
        if (Offset is not { } offset)
            return null;
        var step = Math.Clamp((_need - offset).Seconds, -SpeedUp * elapsed, SlowDown * elapsed);
        return Offset = offset + MediaTime.FromSeconds(step);
    }

    /// <summary>What nine arrivals of ten need; the tenth is shown late, by no more than <see cref="Tolerated"/>.</summary>
    private MediaTime Need()
    {
        var needs = _needs.Select(n => n.Need).Order().ToArray();
        var (most, usual) = (needs[^1] - Tolerated, needs[(int)(0.9 * (needs.Length - 1))]);
        return most > usual ? most : usual;
    }
}
