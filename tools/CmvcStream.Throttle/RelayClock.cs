using CmvcStream.Core.Media;

namespace CmvcStream.Throttle;

/// <summary>Monotonic time since the relay began, for models that are driven by time as a parameter.</summary>
internal sealed class RelayClock(TimeProvider time)
{
    private readonly long _start = time.GetTimestamp();

    public MediaTime Now => new((long)time.GetElapsedTime(_start).TotalMicroseconds);

    /// <summary>Waits until a time, in whole milliseconds rounded up: never early, about one late.</summary>
    public Task DelayUntil(MediaTime at, CancellationToken cancellationToken)
    {
        var left = Math.Ceiling((at - Now).Milliseconds);
        // Days away (a packet on a link of a few bit/s): the caller looks again when it wakes.
        return left <= 0 ? Task.CompletedTask : Task.Delay(TimeSpan.FromMilliseconds(Math.Min(left, 60_000)), time, cancellationToken);
    }
}
