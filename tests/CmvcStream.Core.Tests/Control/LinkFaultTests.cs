using CmvcStream.Core.Control;
using CmvcStream.Core.Media;
using Xunit;
using static CmvcStream.Core.Tests.Control.LinkClock;

namespace CmvcStream.Core.Tests.Control;

/// <summary>Loss, reordering and duplication of datagrams.</summary>
public sealed class LinkFaultTests
{
    [Theory]
    [InlineData(0.02, null)]
    [InlineData(0.1, null)]
    [InlineData(0.02, 5.0)]
    [InlineData(0.1, 3.0)]
    [InlineData(0.1, 1.0)]
    public void Offer_Loss_LosesTheShareInRunsOfTheLengthAskedFor(double loss, double? burst)
    {
        const int Packets = 200_000;
        var got = Run(new() { Loss = loss, LossBurst = burst, Seed = 3 }, Packets).Counters;

        Assert.InRange(got.LostPackets / (double)Packets, loss * 0.9, loss * 1.1);
        Assert.Equal(Packets, got.LostPackets + got.DeliveredPackets);

        var arrived = Run(new() { Loss = loss, LossBurst = burst, Seed = 3 }, Packets).Got.Select(g => g.Payload).ToHashSet();
        var runs = Enumerable.Range(0, Packets).Count(i => !arrived.Contains(i) && arrived.Contains(i - 1));
        Assert.InRange(got.LostPackets / (double)runs, 0.9 * (burst ?? (1 / (1 - loss))), 1.1 * (burst ?? (1 / (1 - loss))));
    }

    [Fact]
    public void Offer_AllLost_TakesTheWiresTimeAllTheSame()
    {
        var link = new LinkModel<int>(new() { Rate = new(8000), Loss = 1 });
        link.Offer(Ms(0), new(1000), 0);
        link.Offer(Ms(0), new(1000), 1);
        Assert.Equal(Ms(1000), link.NextDeparture);
        Assert.Empty(link.Drain(Ms(0)));
        Assert.Equal((2, 2000), (link.Counters.LostPackets, link.Counters.LostBytes.Bytes));
        Assert.Equal(3200, link.Counters.PeakRate.BitsPerSecond); // both were sent, in five seconds
    }

    [Fact]
    public void Offer_Duplicates_ArriveTwiceAndTakeTheWireTwice()
    {
        var link = new LinkModel<int>(new() { Rate = new(8000), Delay = Ms(100), Duplicate = 1 });
        link.Offer(Ms(0), new(1000), 7);
        link.Offer(Ms(0), new(500), 8);

        Assert.Equal([(7, Ms(1100)), (7, Ms(2100)), (8, Ms(2600)), (8, Ms(3100))], link.Drain(Ms(0)));
        var c = link.Counters;
        Assert.Equal((4, 3000, 4, 3000, 2), (c.OfferedPackets, c.OfferedBytes.Bytes, c.DeliveredPackets, c.DeliveredBytes.Bytes, c.DuplicatedPackets));
    }

    [Fact]
    public void Offer_Reorder_TheNextOneOvertakes()
    {
        const int Packets = 10_000;
        var (got, c) = Run(new() { Rate = new(80_000), Delay = Ms(50), Reorder = 0.1 }, Packets);

        var overtaken = got.Zip(got.Skip(1)).Count(p => p.First.Payload > p.Second.Payload);
        Assert.Equal(Enumerable.Range(0, Packets), got.Select(g => g.Payload).Order());
        Assert.InRange(c.ReorderedPackets, Packets * 0.09, Packets * 0.11);
        Assert.InRange(overtaken, c.ReorderedPackets * 0.8, c.ReorderedPackets);
    }

    [Fact]
    public void Offer_ReorderWithNothingBehind_GoesOnAloneAfterASecond()
    {
        var link = new LinkModel<int>(new() { Delay = Ms(50), Reorder = 0.5, Seed = 1 });
        var late = 0;
        for (var i = 0; i < 100; i++)
        {
            link.Offer(Ms(i * 5000), new(100), i);
            var (payload, at) = Assert.Single(link.Drain(Ms(i * 5000)));
            Assert.Equal(i, payload);
            Assert.Contains((at - Ms(i * 5000)).Milliseconds, new[] { 50.0, 1050 });
            late += at > Ms((i * 5000) + 50) ? 1 : 0;
        }

        Assert.InRange(late, 30, 70);
        Assert.Equal(0, link.Counters.ReorderedPackets);
    }

    [Fact]
    public void TryDeliver_FaultsOnOrOff_TheJitterIsTheSame()
    {
        var settings = new LinkSettings { Delay = Ms(200), Jitter = Ms(9), Seed = 9 };
        var clean = Run(settings, 1000).Got.ToDictionary(g => g.Payload, g => g.At);
        var lossy = Run(settings with { Loss = 0.2 }, 1000).Got;

        Assert.InRange(lossy.Count, 700, 900);
        Assert.All(lossy, g => Assert.Equal(clean[g.Payload], g.At));
    }

    [Fact]
    public void TryDeliver_SameSeedAskedSeldomOrOften_SameLink()
    {
        var settings = new LinkSettings
        {
            Rate = new(30_000),
            Delay = Ms(200),
            Jitter = Ms(50),
            Loss = 0.1,
            LossBurst = 3,
            Reorder = 0.05,
            Duplicate = 0.05,
            Seed = 4,
            Outages = [new(Ms(3000), Ms(2000))],
            Queue = new(3000),
        };
        var often = new LinkModel<int>(settings);
        var got = new List<int>();
        for (var t = 0; t < 60_000; t++)
        {
            if (t % 37 == 0)
                often.Offer(Ms(t), new(130), t);
            while (often.TryDeliver(Ms(t), out var payload))
                got.Add(payload);
        }

        got.AddRange(often.Drain(Ms(60_000)).Select(g => g.Payload));
        var seldom = new LinkModel<int>(settings);
        for (var t = 0; t < 60_000; t += 37)
            seldom.Offer(Ms(t), new(130), t);
        Assert.Equal(got, seldom.Drain(Ms(60_000)).Select(g => g.Payload));
        Assert.Equal(often.Counters, seldom.Counters);
        var c = often.Counters;
        Assert.Equal(c.OfferedPackets, c.DeliveredPackets + c.DroppedPackets + c.LostPackets);
        Assert.Equal(c.OfferedBytes, c.DeliveredBytes + c.DroppedBytes + c.LostBytes);
        Assert.True(c is { DroppedPackets: > 0, LostPackets: > 0, ReorderedPackets: > 0, DuplicatedPackets: > 0 });
    }

    /// <summary>A packet of 100 bytes every 20 ms.</summary>
    private static (List<(int Payload, MediaTime At)> Got, LinkCounters Counters) Run(LinkSettings settings, int packets)
    {
        var link = new LinkModel<int>(settings with { Queue = new(10_000) });
        var got = new List<(int, MediaTime)>();
        for (var i = 0; i < packets; i++)
        {
            got.AddRange(link.Drain(i == 0 ? Ms(0) : Ms((i - 1) * 20), until: Ms(i * 20)));
            Assert.True(link.Offer(Ms(i * 20), new(100), i));
        }

        got.AddRange(link.Drain(Ms(packets * 20)));
        return (got, link.Counters);
    }
}
