namespace CmvcStream.TestKit;

/// <summary>Time that stands still until a test moves it; timers fire in order while it moves.</summary>
public sealed class ManualTime : TimeProvider
{
    private readonly Lock _gate = new();
    private readonly List<ManualTimer> _timers = [];
    private TimeSpan _now;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp()
    {
        lock (_gate)
            return _now.Ticks;
    }

    public override DateTimeOffset GetUtcNow() => new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero).AddTicks(GetTimestamp());

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new ManualTimer(this, () => callback(state));
        lock (_gate)
            _timers.Add(timer);
        timer.Change(dueTime, period);
        return timer;
    }

    public void Advance(TimeSpan by)
    {
        TimeSpan end;
        lock (_gate)
            end = _now + by;
        while (true)
        {
            ManualTimer? next;
            lock (_gate)
            {
                next = _timers.Where(t => t.Due <= end).MinBy(t => t.Due);
                _now = next?.Due > _now ? next.Due.Value : next is null ? end : _now;
                if (next is not null)
                    next.Due = null;
            }

            if (next is null)
                return;
            next.Fire();
        }
    }

    /// <summary>Goes to the next timer that is due within a second, if there is one.</summary>
    public void Step()
    {
        TimeSpan? wait;
        lock (_gate)
            wait = _timers.Min(t => t.Due) - _now;
        if (wait <= TimeSpan.FromSeconds(1))
            Advance(wait.Value > TimeSpan.Zero ? wait.Value : TimeSpan.Zero);
    }

    /// <summary>Waits until some timer is set.</summary>
    public async Task<TimeSpan> NextDueAsync()
    {
        for (var patience = 0; patience < 1000; patience++)
        {
            lock (_gate)
            {
                if (_timers.Min(t => t.Due) is { } due)
                    return due;
            }

            await Task.Delay(5);
        }

        throw new TimeoutException("no timer was set within 5 s");
    }

    private sealed class ManualTimer(ManualTime owner, Action fire) : ITimer
    {
        public TimeSpan? Due { get; set; }

        public void Fire() => fire();

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            lock (owner._gate)
                Due = dueTime == Timeout.InfiniteTimeSpan ? null : owner._now + dueTime;
            if (dueTime == TimeSpan.Zero)
                owner.Advance(TimeSpan.Zero);
            return true;
        }

        public void Dispose()
        {
            lock (owner._gate)
            {
                Due = null;
                owner._timers.Remove(this);
            }
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
