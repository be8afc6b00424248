using CmvcStream.Core.Media;
using CmvcStream.Sender.Capture;
using Xunit;

namespace CmvcStream.Sender.Tests.Capture;

public sealed class LiveTicksTests
{
    private readonly LiveTicks _ticks = new(FrameRate.PerSecond(10));

    [Fact]
    public void Next_JitteryArrival_CountsWithoutHoles()
    {
        var jitter = new Random(5);

        var ticks = Enumerable.Range(0, 200).Select(k => Next(k * 100 + jitter.Next(-90, 90)));

        Assert.Equal(Enumerable.Range(0, 200).Select(k => (long?)k), ticks);
    }

    [Fact]
    public void Next_AfterGap_GoesOnAtTrueTime()
    {
        Next(0);

        Assert.Equal(50, Next(5000));
    }

    [Fact]
    public void Next_BurstAfterGap_RefusesWhatIsTooMuch()
    {
        Next(0);
        Next(1000);

        Assert.Equal([11, 12, null, null], Enumerable.Range(0, 4).Select(_ => Next(1000)));
    }

    [Theory]
    [InlineData(101)]
    [InlineData(99)]
    public void Next_ClockDrift_StaysWithinTheSlack(double period)
    {
        for (var k = 0; k < 2000; k++)
        {
            if (Next(k * period) is { } tick)
                Assert.InRange(tick - k * period / 100, -LiveTicks.Slack - 0.5, LiveTicks.Slack + 0.5);
        }
    }

    private long? Next(double milliseconds) => _ticks.Next(TimeSpan.FromMilliseconds(Math.Max(0, milliseconds)));
}
