using CmvcStream.Core.Control;
using CmvcStream.Core.Media;
using Xunit;

namespace CmvcStream.Core.Tests.Control;

public class PlayoutDelayTests
{
    private static readonly MediaTime Frame = MediaTime.FromMilliseconds(33);

    [Fact]
    public void Update_BeforeAnyArrival_IsNull() => Assert.Null(new PlayoutDelay().Update(MediaTime.FromSeconds(3)));

    [Fact]
    public void Update_LateArrival_SlowsDownWithoutJumping()
    {
        var delay = new PlayoutDelay();
        delay.Arrived(MediaTime.FromSeconds(1), MediaTime.Zero);
        var before = delay.Update(MediaTime.FromSeconds(1))!.Value;
        delay.Arrived(MediaTime.FromSeconds(4), MediaTime.FromSeconds(1));

        var after = delay.Update(MediaTime.FromSeconds(1) + Frame)!.Value;

        Assert.InRange((after - before).Milliseconds, 0.1, 33 * 0.51);
    }

    [Theory]
    [InlineData(0.3, 0)]    // tolerated
    [InlineData(1.4, 1.0)]
    public void Update_OneArrivalOfTwentyLate_DelaysNoMoreThanItMust(double late, double delayed)
    {
        var delay = new PlayoutDelay();
        for (var now = MediaTime.FromSeconds(3); now < MediaTime.FromSeconds(30); now += Frame)
            delay.Update(now);
        for (var second = 30; second < 50; second++)
        {
            var now = MediaTime.FromSeconds(second);
            delay.Arrived(now, now - MediaTime.FromSeconds(second == 45 ? 1.5 + late : 1.5));
            for (var i = 0; i < 30; i++)
                delay.Update(now + MediaTime.FromMilliseconds(33 * i));
        }

        Assert.InRange(delay.Offset!.Value.Seconds, 1.58 + delayed - 0.2, 1.58 + delayed + 0.01);
    }

    [Fact]
    public void Update_ConstantNeed_ConvergesToIt()
    {
        var delay = new PlayoutDelay();
        delay.Arrived(MediaTime.FromSeconds(3), MediaTime.Zero);
        for (var now = MediaTime.FromSeconds(3); now < MediaTime.FromSeconds(90); now += Frame)
        {
            delay.Arrived(now, now - MediaTime.FromSeconds(1.5));
            delay.Update(now);
        }

        Assert.InRange(delay.Offset!.Value.Seconds, 1.5, 1.7);
    }
}
