using CmvcStream.Core.Media;

namespace CmvcStream.Receiver.Present;

/// <summary>
/// Drives presentation at a steady rate, whether or not anything new has arrived: each turn asks the caller to show one frame.
/// Its time is microseconds since it was made.
/// </summary>
public sealed class PresentationClock : IDisposable
{
    private readonly TimeProvider _time;
    private readonly long _began;
    private readonly PresentationSchedule _schedule;
    private readonly SemaphoreSlim _wake = new(0);
    private readonly ITimer? _timer;
    private readonly Lock _gate = new();

    /// <inheritdoc cref="PresentationSchedule(FrameRate, long, double)"/>
    public PresentationClock(FrameRate rate, TimeProvider time, long firstFrame = 0)
    {
        ArgumentNullException.ThrowIfNull(time);
        _time = time;
        _began = time.GetTimestamp();
        _schedule = new(rate, firstFrame);
        // Real time is waited for on the clock's own thread, where a busy thread pool cannot delay it; any other time has only timers.
        if (time != TimeProvider.System)
            _timer = time.CreateTimer(_ => _wake.Release(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Time since the clock was made.</summary>
    public MediaTime Now => new(_time.GetElapsedTime(_began).Ticks / TimeSpan.TicksPerMicrosecond);

    public FrameRate Rate => _schedule.Rate;

    /// <summary>The frame that is shown next.</summary>
    public long NextFrame
    {
        get
        {
            lock (_gate)
                return _schedule.NextFrame;
        }
    }

    /// <summary>Source time <paramref name="source"/> is to be shown at <paramref name="wall"/> (of <see cref="Now"/>). Safe from any thread.</summary>
    public void Anchor(MediaTime wall, MediaTime source)
    {
        lock (_gate)
            _schedule.Anchor(wall, source);
        _wake.Release();
    }

    /// <summary>
    /// Calls <paramref name="present"/> for every frame in order, on a thread of its own, until it returns false.
    /// Waits without limit while there is no anchor. What <paramref name="present"/> throws comes out of the task.
    /// </summary>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public Task RunAsync(Func<PresentationTick, bool> present, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(present);
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        new Thread(() =>
        {
            try
            {
                Run(present, cancellationToken);
                done.SetResult();
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                done.SetCanceled(cancellationToken);
            }
            catch (Exception e)
            {
                done.SetException(e);
            }
        })
        { Name = "presentation", IsBackground = true, Priority = ThreadPriority.AboveNormal }.Start();
        return done.Task;
    }

    public void Dispose()
    {
        _timer?.Dispose();
        _wake.Dispose();
    }

    private void Run(Func<PresentationTick, bool> present, CancellationToken cancellationToken)
    {
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            PresentationTick? tick;
            MediaTime? deadline;
            lock (_gate)
            {
                tick = _schedule.Take(Now);
                deadline = _schedule.Deadline;
            }

            if (tick is { } due)
            {
                if (!present(due))
                    return;
            }
            else
            {
                WaitUntil(deadline, cancellationToken);
            }
        }
    }

    /// <summary>Returns at the deadline, at a new anchor, or (harmlessly) for nothing.</summary>
    private void WaitUntil(MediaTime? deadline, CancellationToken cancellationToken)
    {
        // Whole milliseconds, rounded up: early would be a second round. A very far deadline is come back to.
        var left = deadline is { } d ? (int)Math.Clamp(Math.Ceiling((d - Now).Milliseconds), 0, 60_000) : Timeout.Infinite;
        if (_timer is null || left == Timeout.Infinite)
        {
            _wake.Wait(left, cancellationToken);
            return;
        }

        _timer.Change(TimeSpan.FromMilliseconds(left), Timeout.InfiniteTimeSpan);
        _wake.Wait(cancellationToken);
    }
}
