using CmvcStream.Core.Control;
using CmvcStream.Core.Media;
using Xunit;

namespace CmvcStream.Core.Tests.Control;

public class WireBudgetTests
{
    [Fact]
    public void ReadyAt_AfterAPacket_IsWhenItsBytesHavePassed()
    {
        var budget = new WireBudget(new(8000));
        budget.Charge(MediaTime.Zero, 500);

        Assert.Equal(1.0, budget.ReadyAt(MediaTime.Zero, 500).Seconds, 0.001);
    }

    [Fact]
    public void ReadyAt_AfterLongSilence_SavesNothingUpBeyondTheLargestPacket()
    {
        var budget = new WireBudget(new(8000));
        var now = MediaTime.FromSeconds(100);
        Assert.Equal(now, budget.ReadyAt(now, 900));
        budget.Charge(now, 900);

        Assert.InRange((budget.ReadyAt(now, 900) - now).Seconds, 0.54, 0.9);
    }

    [Fact]
    public void ReadyAt_UnforeseenBytesWereCharged_WaitsForThemToo()
    {
        var budget = new WireBudget(new(8000));
        budget.Charge(MediaTime.Zero, 2000);

        Assert.Equal(2.1, budget.ReadyAt(MediaTime.Zero, 100).Seconds, 0.001);
    }

    [Theory]
    [InlineData(0, 66)]
    [InlineData(1434, 1500)]
    [InlineData(1435, 1553)]
    public void WireBytes_OneOrMoreSegments_CountsTheHeadersOfEach(int payload, int wire) =>
        Assert.Equal(wire, WireOverhead.GrpcClear.WireBytes(payload));
}
