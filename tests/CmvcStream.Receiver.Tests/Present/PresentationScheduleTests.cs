using CmvcStream.Core.Media;
using CmvcStream.Receiver.Present;

namespace CmvcStream.Receiver.Tests.Present;

public sealed class PresentationScheduleTests
{
    private static readonly FrameRate Fps30 = FrameRate.PerSecond(30);

    private static MediaTime Ms(double ms) => MediaTime.FromMilliseconds(ms);

    [Fact]
    public void Deadline_BeforeAnyAnchor_IsUnknown()
    {
        var schedule = new PresentationSchedule(Fps30);

        Assert.Null(schedule.Deadline);
        Assert.Null(schedule.Take(Ms(1000)));
    }

    [Fact]
    public void Take_AfterAnchor_ShowsFrameNAtAnchorPlusNOverFps()
    {
        var schedule = new PresentationSchedule(Fps30);
        schedule.Anchor(wall: Ms(2000), source: MediaTime.Zero);

        for (var n = 0; n < 90; n++)
        {
            var due = schedule.Deadline!.Value;
            Assert.Equal(Ms(2000) + MediaTime.FromTicks(n, Fps30), due);
            Assert.Null(schedule.Take(due - new MediaTime(1)));
            var tick = schedule.Take(due)!.Value;
            Assert.Equal((n, MediaTime.FromTicks(n, Fps30), due), (tick.Number, tick.Source, tick.Due));
        }
    }

    [Fact]
    public void Anchor_OfLaterSourceTime_PlacesFrameZeroEarlier()
    {
        var schedule = new PresentationSchedule(Fps30);

        schedule.Anchor(wall: Ms(2000), source: Ms(500));

        Assert.Equal(Ms(1500), schedule.Deadline);
    }

    [Fact]
    public void Take_AfterOversleeping_ShowsEveryNumberOnceAndNoFasterThanFourfold()
    {
        var schedule = new PresentationSchedule(Fps30);
        schedule.Anchor(MediaTime.Zero, MediaTime.Zero);
        Assert.NotNull(schedule.Take(MediaTime.Zero));

        // Asleep for two seconds; then looked at every millisecond.
        var shown = new List<(long Number, double AtMs)>();
        for (var ms = 2000.0; ms < 3500; ms++)
        {
            while (schedule.Take(Ms(ms)) is { } tick)
                shown.Add((tick.Number, ms));
        }

        Assert.Equal(Enumerable.Range(1, shown.Count).Select(n => (long)n), shown.Select(s => s.Number));
        Assert.All(shown.Zip(shown.Skip(1)), pair => Assert.True(pair.Second.AtMs - pair.First.AtMs >= 8, $"{pair}"));
        // Back on time: the last frame is shown when it is due.
        Assert.InRange(shown[^1].AtMs - shown[^1].Number * 1000 / 30.0, 0, 1);
    }

    [Fact]
    public void Anchor_MovedLater_PausesWithoutRepeatingNumbers()
    {
        var schedule = new PresentationSchedule(Fps30);
        schedule.Anchor(MediaTime.Zero, MediaTime.Zero);
        schedule.Take(MediaTime.Zero);

        schedule.Anchor(Ms(1000), MediaTime.Zero);

        Assert.Equal(1, schedule.NextFrame);
        Assert.Equal(Ms(1000) + MediaTime.FromTicks(1, Fps30), schedule.Deadline);
    }

    [Fact]
    public void FirstFrame_OfALateJoiner_IsWhereTheScheduleBegins()
    {
        var schedule = new PresentationSchedule(Fps30, firstFrame: 3000);
        schedule.Anchor(wall: Ms(50), source: MediaTime.FromSeconds(100));

        var tick = schedule.Take(Ms(50));

        Assert.Equal(3000, tick?.Number);
    }

    [Fact]
    public void Constructor_WithoutARate_Throws() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new PresentationSchedule(new FrameRate(0, 1)));
}
