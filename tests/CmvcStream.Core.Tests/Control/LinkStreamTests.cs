using CmvcStream.Core.Control;
using CmvcStream.Core.Media;
using Xunit;
using static CmvcStream.Core.Tests.Control.LinkClock;

namespace CmvcStream.Core.Tests.Control;

/// <summary>What loss, outages and a full queue mean to TCP.</summary>
public sealed class LinkStreamTests
{
    private static readonly LinkSettings _quick = new() { Rate = new(80_000), Delay = Ms(50), Queue = new(20_000) };

    [Fact]
    public void TrySend_NoLoss_IsAsOffered()
    {
        var stream = new LinkModel<int>(_quick with { Jitter = Ms(20), Seed = 2 });
        var plain = new LinkModel<int>(_quick with { Jitter = Ms(20), Seed = 2 });
        var one = stream.OpenStream();
        for (var i = 0; i < 20; i++)
        {
            Assert.True(one.TrySend(Ms(i * 30), new(500), i));
            plain.Offer(Ms(i * 30), new(500), i);
        }

        Assert.Equal(plain.Drain(Ms(600)), stream.Drain(Ms(600)));
        Assert.Equal(0, one.OpenSegments);
    }

    [Fact]
    public void TrySend_QueueFull_LeavesTheSegmentWithTheSender()
    {
        var link = new LinkModel<int>(_quick with { Queue = new(1000) });
        var stream = link.OpenStream();
        Assert.True(stream.TrySend(Ms(0), new(600), 0));
        Assert.False(stream.TrySend(Ms(0), new(600), 1));
        Assert.Equal((1, 0), (link.Counters.OfferedPackets, link.Counters.DroppedPackets));
        Assert.True(stream.TrySend(link.NextDeparture!.Value, new(600), 1));
    }

    [Fact]
    public void Loss_AloneInTheStream_IsSentAgainAfterTheDoublingTimer()
    {
        // The first round trip is the link's own: 100 ms and 50 ms for the segment. Three times that, then doubled.
        var link = new LinkModel<int>(_quick with { Loss = 1 });
        var stream = link.OpenStream();
        stream.TrySend(Ms(0), new(500), 7);

        var sent = new List<double>();
        while (sent.Count < 4)
        {
            link.TryDeliver(link.NextDelivery!.Value, out _);
            if (link.Counters.RetransmittedPackets > sent.Count)
                sent.Add(link.NextDeparture!.Value.Milliseconds - 50);
        }

        Assert.Equal([450, 450 + 900, 450 + 900 + 1800, 450 + 900 + 1800 + 3600], sent);
        link.Change(Ms(10_000), _quick);
        Assert.Equal([(7, Ms(450 * 31 + 50 + 50))], link.Drain(Ms(10_000)));
        Assert.Equal(5, link.Counters.LostPackets);
    }

    [Fact]
    public void Loss_ShortRoundTrip_TimerHasAtLeast200Milliseconds()
    {
        var link = new LinkModel<int>(new() { Delay = Ms(2), Loss = 1 });
        link.OpenStream().TrySend(Ms(0), new(500), 7);
        Assert.Equal(Ms(204), link.NextDelivery);
    }

    [Fact]
    public void Loss_OfAHandshake_WaitsASecond()
    {
        var link = new LinkModel<int>(new() { Delay = Ms(2), Loss = 1 });
        link.OpenStream(handshake: true).TrySend(Ms(0), new(60), 7);
        Assert.Equal(Ms(1000), link.NextDelivery);
    }

    [Fact]
    public void Loss_NeverMoreThanTwoMinutesApart()
    {
        var link = new LinkModel<int>(_quick with { Loss = 1 });
        link.OpenStream().TrySend(Ms(0), new(500), 7);
        var (last, longest) = (MediaTime.Zero, MediaTime.Zero);
        for (var i = 0; i < 100; i++)
        {
            var next = link.NextDelivery!.Value;
            link.TryDeliver(next, out _);
            (last, longest) = (next, next - last > longest ? next - last : longest);
        }

        Assert.InRange(longest.Seconds, 119, 121);
    }

    [Fact]
    public void Loss_ThreeSegmentsPass_IsSentAgainWhenTheSenderHears()
    {
        var (link, stream) = LoseFirst();
        for (var i = 1; i <= 5; i++)
            stream.TrySend(Ms(i), new(500), i);

        // 1, 2, 3 leave until 200 ms and arrive until 250; the sender hears at 300, when 4 and 5 have left; then 50 to send, 50 to arrive.
        var got = link.Drain(Ms(5));
        Assert.Equal([0, 1, 2, 3, 4, 5], got.Select(g => g.Payload));
        Assert.All(got, g => Assert.Equal(Ms(400), g.At));
        Assert.Equal((1, 500), (link.Counters.RetransmittedPackets, link.Counters.RetransmittedBytes.Bytes));
    }

    [Fact]
    public void Loss_OneStream_DoesNotHoldUpTheOther()
    {
        var (link, first) = LoseFirst();
        var other = link.OpenStream();
        first.TrySend(Ms(1), new(500), 1);
        other.TrySend(Ms(1), new(500), 10);

        Assert.Equal([(10, Ms(200)), (0, Ms(450 + 100)), (1, Ms(450 + 100))], link.Drain(Ms(1)));
    }

    [Fact]
    public void Loss_Many_AllArriveInOrderAndTheWireIsPaidTwice()
    {
        foreach (var settings in new[]
        {
            _quick with { Loss = 0.1 }, _quick with { Loss = 0.1, LossBurst = 4, Jitter = Ms(40) }, _quick with { Loss = 0.3, Rate = null },
            _quick with { Loss = 0.1, Reorder = 0.1, Duplicate = 0.1 }, _quick with { Rate = null, Trace = LinkTrace.Parse(["7", "9", "100"], 0.3), Loss = 0.1 },
        })
        {
            var link = new LinkModel<(int Stream, int Number)>(settings with { Queue = new(5000), Seed = 11 });
            var streams = Enumerable.Range(0, 3).Select(_ => link.OpenStream()).ToArray();
            var (sent, got) = (new int[3], new int[3]);
            var random = new Random(2);
            for (var now = Ms(0); got.Sum() < 6000; now += Ms(5))
            {
                var s = random.Next(3);
                for (var more = random.Next(4); more > 0 && sent[s] < 2000 && streams[s].TrySend(now, new(random.Next(60, 1500)), (s, sent[s])); more--)
                    sent[s]++;
                while (link.TryDeliver(now, out var payload))
                    Assert.Equal(got[payload.Stream]++, payload.Number);
            }

            link.Drain(Ms(1e9)); // second copies of the last ones
            var c = link.Counters;
            Assert.Equal(c.OfferedPackets, c.DeliveredPackets + c.LostPackets);
            Assert.Equal(c.LostPackets, c.RetransmittedPackets);
            Assert.Equal(6000, c.OfferedPackets - c.RetransmittedPackets - c.DuplicatedPackets);
            Assert.Equal(0, streams.Sum(s => s.OpenSegments));
        }
    }

    [Fact]
    public void Loss_QueueingDelay_LengthensTheTimer()
    {
        // 20 kB of queue at 8 kbit/s: a segment takes up to 20 s, and a timer that did not know would fire long before.
        var link = new LinkModel<int>(new() { Rate = new(8000), Queue = new(20_000), Delay = Ms(100) });
        var stream = link.OpenStream();
        var n = 0;
        for (var now = Ms(0); now < Ms(200_000); now += Ms(100))
        {
            stream.TrySend(now, new(1000), n++);
            while (link.TryDeliver(now, out _))
            {
            }
        }

        Assert.InRange(stream.Timeout(new(1000)).Seconds, 20, 30);
    }

    [Fact]
    public void Outage_SegmentThatIsCut_ComesWithTheFirstTimerAfterwards()
    {
        // Sent at 1 s; its timer (450 ms at first) fires at 1.45, 2.35 and 4.15 s into the outage, and at 7.75 s.
        var link = new LinkModel<int>(_quick with { Outages = [new(Ms(1020), Ms(4000))] });
        var stream = link.OpenStream();
        stream.TrySend(Ms(1000), new(500), 0);
        stream.TrySend(Ms(1500), new(500), 1);
        var other = link.OpenStream();
        other.TrySend(Ms(1600), new(500), 10);

        Assert.Equal([(10, Ms(5020 + 150)), (0, Ms(7750 + 100)), (1, Ms(7750 + 100))], link.Drain(Ms(1600)));
        Assert.Equal(1, link.Counters.RetransmittedPackets);
    }

    [Fact]
    public void Close_WithLostAndWaitingSegments_NothingMoreComesOut()
    {
        var (link, stream) = LoseFirst();
        stream.TrySend(Ms(1), new(500), 1);
        stream.TrySend(Ms(1), new(500), 2);
        var other = link.OpenStream();
        other.TrySend(Ms(2), new(500), 10);
        link.TryDeliver(Ms(120), out _);
        stream.Close();

        Assert.Equal([10], link.Drain(Ms(120)).Select(g => g.Payload));
        Assert.Equal(0, link.Counters.RetransmittedPackets);
        Assert.Throws<ObjectDisposedException>(() => stream.TrySend(Ms(10_000), new(500), 3));
    }

    [Fact]
    public void TrySend_Steady_AllocatesNothing()
    {
        var link = new LinkModel<int>(_quick with { Loss = 0.05 });
        var stream = link.OpenStream();
        Run(0, 5000);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Run(5000, 15_000);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 20_000);

        void Run(int from, int to)
        {
            for (var i = from; i < to; i++)
            {
                stream.TrySend(Ms(i * 60), new(500), i);
                while (link.TryDeliver(Ms(i * 60), out _))
                {
                }
            }
        }
    }

    /// <summary>A stream whose segment 0 was sent at 0 and is lost when it leaves at 50 ms; nothing is lost from then on.</summary>
    private static (LinkModel<int> Link, LinkStream<int> Stream) LoseFirst()
    {
        // At 50 ms it leaves and is lost; what comes at 1 ms or later waits behind it and is sent when no more is lost.
        var link = new LinkModel<int>(_quick with { Loss = 0.5, Seed = Enumerable.Range(0, 100).First(LosesOnlyFirst) });
        var stream = link.OpenStream();
        stream.TrySend(Ms(0), new(500), 0);
        return (link, stream);

        static bool LosesOnlyFirst(int seed)
        {
            var link = new LinkModel<int>(_quick with { Loss = 0.5, Seed = seed });
            for (var i = 0; i < 8; i++)
                link.Offer(Ms(0), new(500), i);
            return link.Drain(Ms(0)).Select(g => g.Payload).SequenceEqual(Enumerable.Range(1, 7));
        }
    }
}
