using CmvcStream.Core.Media;

namespace CmvcStream.Core.Control;

/// <summary>
/// The jitter buffer's depth: how long after its capture a picture is shown. It follows what arrivals need and moves slowly, so that
/// the clock runs a few per cent faster or slower and never jumps.
/// </summary>
/// <param name="reserve">Added to what the first arrival needs: those that follow, of more bytes and with the gap before them, need more.</param>
public sealed class PlayoutDelay(MediaTime reserve = default)
{
    private static readonly MediaTime Margin = MediaTime.FromMilliseconds(80);
    private static readonly MediaTime Window = MediaTime.FromSeconds(12);
    /// <summary>For so long the last picture may stay, now and then.</summary>
    private static readonly MediaTime Tolerated = MediaTime.FromMilliseconds(400);

    private const double SpeedUp = 0.04, SlowDown = 0.5;

    /// <summary>A reserve for pictures that are made between two keyframes.</summary>
    public static readonly MediaTime Smooth = MediaTime.FromMilliseconds(700);

    private readonly Queue<(MediaTime At, MediaTime Need)> _needs = new();
    private readonly List<MediaTime> _sorted = [];
    private MediaTime? _updated;

    /// <summary>Wall time minus source time at which pictures are shown; null before the first arrival.</summary>
    public MediaTime? Offset { get; private set; }

    /// <summary>Tells of an arrival at wall time <paramref name="now"/> that lets source times from <paramref name="from"/> on be shown.</summary>
    public void Arrived(MediaTime now, MediaTime from)
    {
        _needs.Enqueue((now, now - from + Margin));
        while (_needs.Count > 1 && _needs.Peek().At < now - Window)
            _needs.Dequeue();
        Offset ??= now - from + Margin + reserve;
    }

    /// <summary>What nine arrivals of ten need; the tenth is shown late, by no more than <see cref="Tolerated"/>.</summary>
    private MediaTime Need()
    {
        _sorted.Clear();
        foreach (var (_, need) in _needs)
            _sorted.Add(need);
        _sorted.Sort();
        var (most, usual) = (_sorted[^1] - Tolerated, _sorted[(int)(0.9 * (_sorted.Count - 1))]);
        return most > usual ? most : usual;
    }

    /// <summary>Moves the offset towards what is needed; call it once a presentation frame.</summary>
    public MediaTime? Update(MediaTime now)
    {
        var elapsed = _updated is { } last ? (now - last).Seconds : 0;
        _updated = now;
        if (Offset is not { } offset || _needs.Count == 0)
            return Offset;
        var need = Need();
        var step = Math.Clamp((need - offset).Seconds, -SpeedUp * elapsed, SlowDown * elapsed);
        return Offset = offset + MediaTime.FromSeconds(step);
    }
}
