using CmvcStream.Core.Control;
using CmvcStream.Core.Media;
using Xunit;

namespace CmvcStream.Core.Tests.Control;

/// <summary>What the estimator makes of packets over a link that is only arithmetic.</summary>
public sealed class LinkEstimatorTests
{
    private static readonly int[] s_sizes = [80, 600, 220, 750, 80, 400];

    [Theory]
    [InlineData(1000)]
    [InlineData(2500)]
    [InlineData(8000)]
    [InlineData(16_000)]
    [InlineData(30_000)]
    public void Finds_the_rate_of_an_idle_link_from_packets_of_different_size(int bitrate)
    {
        var link = new Link { Rate = bitrate / 8.0 };
        for (var i = 0; i < 20; i++)
            link.SendWhenIdle(s_sizes[i % s_sizes.Length]);

        Assert.True(link.Estimator.Known);
        Assert.InRange(link.Estimate, 0.93 * bitrate, 1.07 * bitrate);
        Assert.InRange(link.Estimator.RoundTrip!.Value.Seconds, 0.55, 0.65);
    }

    [Fact]
    public void Finds_the_rate_of_a_full_link_from_packets_of_one_size()
    {
        var link = new Link { Rate = 1000 };
        for (var i = 0; i < 20; i++)
            link.Send(500, after: 0.45);

        Assert.InRange(link.Estimate, 7600, 8400);
        Assert.InRange(link.Estimator.Queueing.Seconds, 0.5, 1.2);
    }

    [Theory]
    [InlineData(-1e6)]
    [InlineData(1e6)]
    public void Needs_no_common_clock(double offset)
    {
        var (one, other) = (new Link(), new Link { Offset = offset });
        for (var i = 0; i < 20; i++)
        {
            one.SendWhenIdle(s_sizes[i % s_sizes.Length]);
            other.SendWhenIdle(s_sizes[i % s_sizes.Length]);
        }

        Assert.Equal(one.Estimate, other.Estimate, one.Estimate * 0.01);
    }

    [Fact]
    public void Two_packets_are_enough_to_see_a_step_down()
    {
        var link = Settled();
        link.Rate /= 8;
        link.SendWhenIdle(600);
        link.SendWhenIdle(400);

        Assert.InRange(link.Estimate, 800, 1250);
    }

    [Fact]
    public void A_step_up_is_seen_from_heartbeats_of_two_sizes()
    {
        var link = Settled(rate: 250);
        link.Rate = 2000;
        for (var i = 0; i < 4; i++)
            link.SendWhenIdle(i % 2 == 0 ? 80 : 230);

        Assert.InRange(link.Estimate, 8000, 24_000);
    }

    [Fact]
    public void A_retransmission_is_not_taken_for_a_slower_link()
    {
        var link = Settled();
        for (var i = 0; i < 12; i++)
        {
            link.Send(500, after: 0.6, late: i % 6 == 2 ? 1.5 : 0);
            // What comes with it tells.
            Assert.True(i % 6 == 2 || link.Estimate > 5000, $"{link.Estimate} bit/s after packet {i}");
        }

        Assert.InRange(link.Estimate, 7200, 8800);
        Assert.True(link.Estimator.Lossy, $"{link.Estimator.Stalls} stalls");
    }

    [Fact]
    public void A_link_that_is_gone_has_kept_its_rate()
    {
        var link = Settled();
        link.Lose(80);
        link.Now += 20;

        Assert.True(link.Estimator.Doubtful(link.Time));
        Assert.InRange(link.Estimator.OverdueFor(link.Time).Seconds, 18, 20);
        Assert.InRange(link.Estimate, 5000, 9000);
    }

    [Fact]
    public void Silence_after_a_slow_packet_lowers_the_estimate_before_anything_comes()
    {
        var link = Settled(rate: 2000);
        link.Rate /= 8;
        link.SendWhenIdle(600);
        link.Lose(750);
        link.Now += 2.5;

        Assert.InRange(link.Estimate, 300, 5000);
    }

    [Fact]
    public void What_was_lost_between_two_packets_has_used_the_link()
    {
        var link = Settled();
        for (var i = 0; i < 20; i++)
        {
            link.Send(400, after: 0.45);
            if (i % 3 == 1)
                link.Lose(400, served: true);
        }

        Assert.InRange(link.Estimate, 7400, 8600);
    }

    [Fact]
    public void Acknowledgements_beside_the_packets_are_no_slower_link()
    {
        var link = Settled();
        for (var i = 0; i < 30; i++)
        {
            link.Estimator.Unreported(link.Time, 52);
            link.Serve(52);
            link.Send(300, after: 0.4);
        }

        Assert.InRange(link.Estimate, 7600, 8400);
    }

    [Fact]
    public void Survives_reports_that_make_no_sense()
    {
        var random = new Random(1);
        var flight = new Flight();
        var estimator = new LinkEstimator(flight);
        for (var i = 1u; i < 2000; i++)
        {
            var now = MediaTime.FromSeconds(i * random.NextDouble());
            estimator.Arrived(now, new(i, now, random.Next(2) == 0 ? 0 : random.Next(70_000)), MediaTime.FromMilliseconds(random.NextInt64(uint.MaxValue)));
            Assert.InRange(estimator.Estimate(now, new(8000)).BitsPerSecond, 200, 250_000);
            Assert.True(double.IsFinite(estimator.Queueing.Seconds));
        }
    }

    private static Link Settled(double rate = 1000)
    {
        var link = new Link { Rate = rate };
        for (var i = 0; i < 20; i++)
            link.SendWhenIdle(s_sizes[i % s_sizes.Length]);
        return link;
    }

    /// <summary>A server with 300 ms before and behind it. Reports come back for nothing.</summary>
    private sealed class Link
    {
        private readonly Flight _flight = new();
        private uint _sequence;
        private double _free, _delivered;

        public Link() => Estimator = new(_flight);

        public LinkEstimator Estimator { get; }

        /// <summary>Bytes a second.</summary>
        public double Rate { get; set; } = 1000;

        /// <summary>The receiver's clock is ahead by so much, seconds.</summary>
        public double Offset { get; init; }

        public double Now { get; set; } = 5;

        public MediaTime Time => MediaTime.FromSeconds(Now);

        public double Estimate => Estimator.Estimate(Time, new(8000)).BitsPerSecond;

        /// <summary>Sends a packet; time goes on until the next, and until the report has come if that is later.</summary>
        public void Send(int bytes, double after, double late = 0)
        {
            var packet = Leave(bytes);
            // In order: what is behind a late one waits for it.
            _delivered = Math.Max(_delivered, _free + 0.3 + late);
            _flight.Arrived(packet.Sequence);
            Estimator.Arrived(MediaTime.FromSeconds(_delivered + 0.3), packet, MediaTime.FromSeconds(_delivered + Offset));
            Now += after;
        }

        public void SendWhenIdle(int bytes)
        {
            Send(bytes, after: 0);
            Now = _free + 1;
        }

        public void Serve(int bytes) => _free = Math.Max(_free, Now) + (bytes / Rate);

        /// <summary>Sends one that will not come.</summary>
        public void Lose(int bytes, bool served = false)
        {
            var free = _free;
            Leave(bytes);
            if (!served)
                _free = free;
        }

        private SentPacket Leave(int bytes)
        {
            var packet = new SentPacket(++_sequence, Time, bytes);
            _flight.Add(packet);
            Serve(bytes);
            return packet;
        }
    }
}
