using System.Collections.Concurrent;
using CmvcStream.Core.Media;
using CmvcStream.Receiver.Present;
using CmvcStream.TestKit;

namespace CmvcStream.Receiver.Tests.Present;

public sealed class PresentationClockTests
{
    private static readonly FrameRate Fps30 = FrameRate.PerSecond(30);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task RunAsync_InManualTime_PresentsEachFrameWhenItIsDue()
    {
        var time = new ManualTime();
        using var clock = new PresentationClock(Fps30, time);
        var ticks = new BlockingCollection<PresentationTick>();
        clock.Anchor(MediaTime.FromMilliseconds(100), MediaTime.Zero);
        var run = clock.RunAsync(tick =>
        {
            ticks.Add(tick);
            return tick.Number < 29;
        }, CancellationToken.None);

        while (!run.IsCompleted)
        {
            var due = await Task.WhenAny(time.NextDueAsync(), run);
            if (due == run)
                break;
            time.Advance(TimeSpan.FromMilliseconds(1));
        }

        await run.WaitAsync(Patience);
        Assert.Equal(Enumerable.Range(0, 30).Select(n => (long)n), ticks.Select(t => t.Number));
        // A step of the test and the rounding to whole milliseconds.
        Assert.All(ticks, tick => Assert.InRange(tick.Late.Milliseconds, 0, 3));
    }

    [Fact]
    public async Task RunAsync_WithoutAnAnchor_WaitsForIt()
    {
        using var clock = new PresentationClock(Fps30, TimeProvider.System);
        var run = clock.RunAsync(_ => false, CancellationToken.None);
        await Task.Delay(50);
        Assert.False(run.IsCompleted);

        clock.Anchor(clock.Now, MediaTime.Zero);

        await run.WaitAsync(Patience);
    }

    [Fact]
    public async Task RunAsync_Cancelled_EndsAsCancelled()
    {
        using var clock = new PresentationClock(Fps30, TimeProvider.System);
        using var cancel = new CancellationTokenSource();
        var run = clock.RunAsync(_ => true, cancel.Token);

        await cancel.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => run.WaitAsync(Patience));
    }

    [Fact]
    public async Task RunAsync_CallbackThrows_GivesItsException()
    {
        using var clock = new PresentationClock(Fps30, TimeProvider.System);
        clock.Anchor(clock.Now, MediaTime.Zero);

        var run = clock.RunAsync(_ => throw new InvalidOperationException("no frame"), CancellationToken.None);

        Assert.Equal("no frame", (await Assert.ThrowsAsync<InvalidOperationException>(() => run.WaitAsync(Patience))).Message);
    }

    [Fact]
    public async Task RunAsync_InRealTime_IsOnTimeWhenTheMachineLetsIt()
    {
        using var clock = new PresentationClock(Fps30, TimeProvider.System);
        var late = new List<double>();
        var best = new List<double>();
        clock.Anchor(clock.Now + MediaTime.FromMilliseconds(50), MediaTime.Zero);

        await clock.RunAsync(tick =>
        {
            late.Add(tick.Late.Milliseconds);
            if (late.Count < 60)
                return true;
            // Of two seconds the best sixth, since the machine may be busy with other things (for some seconds, wholly so);
            // a coarse timer (10 ms and more) spoils that one too.
            late.Sort();
            best.Add(late[10]);
            late.Clear();
            return best[^1] > 1.6 && best.Count < 8;
        }, CancellationToken.None).WaitAsync(Patience);

        TestContext.Current.TestOutputHelper?.WriteLine($"late by ms, best sixth of each 2 s: {string.Join(", ", best.Select(b => $"{b:0.00}"))}");
        Assert.InRange(best[^1], 0, 1.6);
    }
}
