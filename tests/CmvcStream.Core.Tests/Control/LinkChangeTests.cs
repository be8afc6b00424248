using CmvcStream.Core.Control;
using CmvcStream.Core.Media;
using Xunit;
using static CmvcStream.Core.Tests.Control.LinkClock;

namespace CmvcStream.Core.Tests.Control;

/// <summary>Outages, traces, and links that change while they run.</summary>
public sealed class LinkChangeTests
{
    private static readonly LinkSettings _slow = new() { Rate = new(8000), Delay = Ms(200), Queue = new(4000) };

    [Fact]
    public void Outage_WhileSending_CutsThatPacketAndTheQueueWaits()
    {
        var link = new LinkModel<int>(_slow with { Outages = [new(Ms(1500), Ms(3000))] });
        for (var i = 0; i < 4; i++)
            link.Offer(Ms(0), new(1000), i);
        Assert.False(link.Offer(Ms(900), new(1000), 4)); // the queue is full

        Assert.Equal([(0, Ms(1200)), (2, Ms(5700)), (3, Ms(6700))], link.Drain(Ms(0)));
        Assert.Equal((1, 1), (link.Counters.LostPackets, link.Counters.DroppedPackets));
        Assert.InRange(link.Counters.PeakRate.BitsPerSecond, 8000 * 2 / 5, 8000 * 3 / 5); // 1.5 s before it, 0.7 s after it, within 5 s
    }

    [Fact]
    public void Outage_NothingBeingSent_LosesNothing()
    {
        var link = new LinkModel<int>(_slow with { Outages = [new(Ms(1000), Ms(2000)), new(Ms(2500), Ms(1500))] });
        link.Offer(Ms(0), new(1000), 0); // has just been sent when it begins
        link.Offer(Ms(1000), new(1000), 1);
        link.Offer(Ms(2000), new(1000), 2);

        Assert.Equal([(0, Ms(2000)), (1, Ms(5200)), (2, Ms(6200))], link.Drain(Ms(2000)));
        Assert.Equal(0, link.Counters.LostPackets);
    }

    [Fact]
    public void Outage_NoRate_HoldsPacketsInTheQueueAndDropsBeyond()
    {
        var link = new LinkModel<int>(new() { Queue = new(1000), Outages = [new(Ms(100), Ms(900))] });
        for (var i = 0; i < 15; i++)
            link.Offer(Ms(i * 50), new(100), i);

        Assert.Equal([0, 1], link.Drain(Ms(700), until: Ms(700)).Select(g => g.Payload));
        Assert.Equal(Enumerable.Range(2, 10).Select(i => (i, Ms(1000))), link.Drain(Ms(700)));
        Assert.Equal(3, link.Counters.DroppedPackets);
    }

    [Fact]
    public void Change_OutageNow_CutsAtOnceAndEndsWhenAsked()
    {
        var link = new LinkModel<int>(_slow);
        link.Offer(Ms(0), new(1000), 0);
        link.Offer(Ms(0), new(1000), 1);
        link.Change(Ms(500), _slow with { Outages = [new(Ms(500), LinkOutage.Endless)] });
        Assert.Empty(link.Drain(Ms(500), until: Ms(100_000)));
        Assert.Equal(1, link.Counters.LostPackets);

        link.Change(Ms(200_000), _slow with { Outages = [] });
        Assert.Equal([(1, Ms(201_200))], link.Drain(Ms(200_000)));
    }

    [Fact]
    public void Change_BeforeAnOutage_TheRestOfThePacketIsRight()
    {
        // The cut that the outage would have made is taken back: 400 of the 1000 bytes were sent by then.
        var link = new LinkModel<int>(_slow with { Outages = [new(Ms(800), Ms(10_000))] });
        link.Offer(Ms(0), new(1000), 0);
        link.Change(Ms(400), _slow);
        Assert.Equal([(0, Ms(1200))], link.Drain(Ms(400)));
    }

    [Fact]
    public void Change_Rate_WhatIsLeftGoesAtTheNewOne()
    {
        var link = new LinkModel<int>(_slow);
        link.Offer(Ms(0), new(1000), 0);
        link.Offer(Ms(0), new(1000), 1);
        link.Change(Ms(500), _slow with { Rate = new(16_000) });
        link.Change(Ms(600), _slow with { Rate = new(4000), Delay = Ms(300) });

        // 500 bytes by 500 ms, 200 more by 600 ms, 300 at 4 kbit/s; then the second packet.
        Assert.Equal([(0, Ms(1500)), (1, Ms(3500))], link.Drain(Ms(600)));
    }

    [Fact]
    public void Change_NoRateAnyMore_EmptiesTheQueue()
    {
        var link = new LinkModel<int>(_slow);
        for (var i = 0; i < 4; i++)
            link.Offer(Ms(0), new(1000), i);
        link.Change(Ms(1500), _slow with { Rate = null });

        Assert.Equal([(0, Ms(1500)), (1, Ms(1700)), (2, Ms(1700)), (3, Ms(1700))], link.Drain(Ms(1500)));
    }

    [Fact]
    public void Change_ShorterDelay_KeepsOrder()
    {
        var link = new LinkModel<int>(new() { Delay = Ms(500) });
        link.Offer(Ms(0), new(100), 0);
        link.Change(Ms(10), new() { Delay = Ms(5) });
        link.Offer(Ms(10), new(100), 1);
        Assert.Equal([(0, Ms(500)), (1, Ms(500))], link.Drain(Ms(10)));
    }

    [Fact]
    public void Change_Impossible_ThrowsAndLeavesTheLink()
    {
        var link = new LinkModel<int>(_slow);
        Assert.Throws<ArgumentException>(() => link.Change(Ms(5), _slow with { Loss = 2 }));
        Assert.Equal(_slow, link.Settings);
    }

    [Fact]
    public void Trace_LargeAndSmallPackets_TakeWhatTheyNeedOfEachOpportunity()
    {
        // 1500 bytes at 10, 20, 20 and 50 ms, and again every 50 ms.
        var link = new LinkModel<int>(new() { Trace = LinkTrace.Parse(["10", "20", "20", "50"]), Queue = new(20_000) });
        int[] sizes = [500, 500, 600, 1500, 4000, 100];
        for (var i = 0; i < sizes.Length; i++)
            link.Offer(Ms(0), new(sizes[i]), i);

        // 10: 0, 1 and 500 bytes of 2. 20: 100 of 2 and 1400 of 3. 20: 100 of 3 and 1400 of 4. 50: 1500 of 4. 60: 1100 of 4, then 5.
        Assert.Equal([(0, Ms(10)), (1, Ms(10)), (2, Ms(20)), (3, Ms(20)), (4, Ms(60)), (5, Ms(60))], link.Drain(Ms(0)));
    }

    [Fact]
    public void Trace_OpportunitiesThatNobodyUses_AreLost()
    {
        var link = new LinkModel<int>(new() { Trace = LinkTrace.Parse(["10", "20", "30"]) });
        link.Offer(Ms(15), new(1000), 0); // 20
        link.Offer(Ms(21), new(1000), 1); // 30; the 500 bytes left at 20 are lost
        link.Offer(Ms(61), new(3000), 2); // 70, 80
        Assert.Equal([(0, Ms(61)), (1, Ms(61)), (2, Ms(80))], link.Drain(Ms(61)));
        Assert.Equal((Ms(30), new Bitrate(1_200_000)), (link.Settings.Trace!.Period, link.Settings.Trace.Mean));
    }

    [Fact]
    public void Change_TraceWhileSending_GoesOnWithWhatIsLeft()
    {
        var link = new LinkModel<int>(new() { Trace = LinkTrace.Parse(["10"]), Queue = new(20_000) });
        link.Offer(Ms(0), new(4000), 0);
        link.Offer(Ms(0), new(1000), 1);
        link.Change(Ms(25), new() { Rate = new(80_000), Queue = new(20_000) }); // 3000 bytes have gone; 1000 take 100 ms
        link.Change(Ms(75), new() { Trace = LinkTrace.Parse(["40"]), Queue = new(20_000) }); // 500 are left; 80: both
        Assert.Equal([(0, Ms(80)), (1, Ms(80))], link.Drain(Ms(75)));
        link.Offer(Ms(81), new(1500), 2);
        Assert.Equal([(2, Ms(120))], link.Drain(Ms(81)));
    }

    [Theory]
    [InlineData(1, 400)]
    [InlineData(0.01, 400)]
    [InlineData(0.0073, 1500)]
    public void Trace_Scaled_CarriesItsMeanAndKeepsItsTimes(double scale, int size)
    {
        var random = new Random(3);
        var times = Enumerable.Range(0, 2000).Select(_ => random.Next(1, 30_000)).Append(30_000).Order();
        var trace = LinkTrace.Parse(times.Select(t => t.ToString(System.Globalization.CultureInfo.InvariantCulture)), scale);
        var link = new LinkModel<int>(new() { Trace = trace, Queue = new(10_000), Outages = [new(Ms(30_000), Ms(30_000))] });
        var (now, got) = (MediaTime.Zero, 0);
        while (now <= Ms(150_000))
        {
            while (link.Offer(now, new(size), 0))
            {
            }

            now = link.NextDelivery!.Value;
            while (link.TryDeliver(now, out _))
                got++;
        }

        // five rounds, of which the outage takes one
        Assert.InRange((got * size / trace.Mean.BytesPerSecond / 120) - 1, -0.02, 0.02);
    }

    [Theory]
    [InlineData("no times")]
    [InlineData("line 2: '1.5'", "1", "1.5")]
    [InlineData("line 1: '-3'", "-3")]
    [InlineData("line 3: 4 comes after 5", "1", "5", "4")]
    [InlineData("all times are 0", "0", "0")]
    public void Parse_NoTrace_SaysWhere(string message, params string[] lines)
    {
        var e = Assert.Throws<FormatException>(() => LinkTrace.Parse(lines));
        Assert.Contains(message, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Parse_Scale_IsChecked() => Assert.Throws<FormatException>(() => LinkTrace.Parse(["1"], 0));

    [Fact]
    public void Parse_Outage_LengthAtStart()
    {
        Assert.Equal(new LinkOutage(MediaTime.FromSeconds(60), MediaTime.FromSeconds(20)), LinkOutage.Parse("20s@60s"));
        Assert.All(["20s", "@", "0s@5s", "x@1s", "1s@x"], text => Assert.Throws<FormatException>(() => LinkOutage.Parse(text)));
    }
}
