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

    [Fact]
    public void Charge_TheLesserPartOfTheCredit_LeavesTheRestToTheNextPacket()
    {
        var budget = new WireBudget(new(8000));
        var now = MediaTime.FromSeconds(0.8);
        budget.Charge(now, 60);

        Assert.Equal(740, budget.Credit(now), 0.5);
        Assert.Equal(0.86, budget.ReadyAt(now, 800).Seconds, 0.001);
    }

    /// <summary>Acknowledgements between keyframes: what the link has left is spent, not lost.</summary>
    [Fact]
    public void Charge_AcknowledgementsBetweenPackets_AllOfTheRateIsUsed()
    {
        var budget = new WireBudget(new(8000));
        var spent = 0.0;
        for (var now = MediaTime.Zero; now < MediaTime.FromSeconds(120);)
        {
            now = budget.ReadyAt(now, 700);
            budget.Charge(now, 700);
            now += MediaTime.FromMilliseconds(300);
            budget.Charge(now, 52);
            spent += 752;
        }

        Assert.InRange(spent, 0.99 * 120 * 1000, 1.01 * 120 * 1000);
    }

    [Theory]
    [InlineData(0, 66)]
    [InlineData(1434, 1500)]
    [InlineData(1435, 1553)]
    public void WireBytes_OneOrMoreSegments_CountsTheHeadersOfEach(int payload, int wire) =>
        Assert.Equal(wire, WireOverhead.GrpcClear.WireBytes(payload));
}
