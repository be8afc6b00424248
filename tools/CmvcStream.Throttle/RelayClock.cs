using CmvcStream.Core.Media;

namespace CmvcStream.Throttle;

/// <summary>Monotonic time since the relay began, for models that are driven by time as a parameter.</summary>
internal sealed class RelayClock(TimeProvider time)
{
    private readonly long _start = time.GetTimestamp();

    public MediaTime Now => new((long)time.GetElapsedTime(_start).TotalMicroseconds);
}
