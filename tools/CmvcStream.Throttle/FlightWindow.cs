using CmvcStream.Core.Control;
using CmvcStream.Core.Media;

namespace CmvcStream.Throttle;

/// <summary>
/// Bounds the bytes of one connection that are between the socket they were read from and the socket they are written to, as a
/// receiver's window does: a receiver that does not read stops its sender. One waits, any may release.
/// </summary>
internal sealed class FlightWindow(Func<LinkSettings> link)
{
    private readonly Lock _lock = new();
    private long _bytes;
    private TaskCompletionSource? _room;

    /// <summary>More than the link itself can hold, so that the window binds only where the receiver is slow or a lost segment is awaited.</summary>
    public static long LimitFor(LinkSettings link)
    {
        const long Slack = 64_000, Unlimited = 1_000_000, Most = 16_000_000;
        var underWay = link.MeanRate is { } rate ? rate.Over(link.Delay + link.Jitter + MediaTime.FromMilliseconds(100)).Bytes : Unlimited;
        return Math.Min(link.Queue.Bytes + underWay + Slack, Most);
    }

    public Task WaitAsync(CancellationToken cancellationToken)
    {
        var limit = LimitFor(link());
        lock (_lock)
        {
            if (_bytes < limit)
                return Task.CompletedTask;
            _room ??= new(TaskCreationOptions.RunContinuationsAsynchronously);
            return _room.Task.WaitAsync(cancellationToken);
        }
    }

    public void Take(int bytes)
    {
        lock (_lock)
            _bytes += bytes;
    }

    public void Release(int bytes)
    {
        var limit = LimitFor(link());
        lock (_lock)
        {
            _bytes -= bytes;
            if (_bytes >= limit)
                return;
            _room?.SetResult();
            _room = null;
        }
    }
}
