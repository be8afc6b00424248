using CmvcStream.Core.Media;

namespace CmvcStream.Throttle;

/// <summary>Waits until a time that may still come nearer. One waits, any may ring.</summary>
internal sealed class Alarm(RelayClock clock) : IDisposable
{
    private static readonly MediaTime Never = new(long.MaxValue);
    private readonly SemaphoreSlim _ring = new(0, 1);
    private readonly Lock _lock = new();
    private MediaTime _at = Never;

    /// <summary>What the one who waits will wait for; null is until it rings.</summary>
    public void Set(MediaTime? at)
    {
        lock (_lock)
            _at = at ?? Never;
    }

    /// <summary>Rings if the wait would go on after this time.</summary>
    public void NoLaterThan(MediaTime at)
    {
        lock (_lock)
        {
            if (at >= _at)
                return;
            _at = at; // it is woken once for it
        }

        Ring();
    }

    public void Ring()
    {
        lock (_lock)
        {
            if (_ring.CurrentCount == 0)
                _ring.Release();
        }
    }

    /// <summary>Ends at the time (null is never), or earlier when it rings; in whole milliseconds rounded up: never early, about one late.</summary>
    public Task WaitAsync(MediaTime? at, CancellationToken cancellationToken)
    {
        if (at is not { } time)
            return _ring.WaitAsync(cancellationToken);
        // Days away (a packet on a link of a few bit/s): the caller looks again when it wakes.
        var left = Math.Ceiling((time - clock.Now).Milliseconds);
        return left <= 0 ? Task.CompletedTask : _ring.WaitAsync((int)Math.Min(left, 60_000), cancellationToken);
    }

    public void Dispose() => _ring.Dispose();
}
