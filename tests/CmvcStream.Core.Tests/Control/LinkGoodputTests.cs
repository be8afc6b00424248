using CmvcStream.Core.Control;
using CmvcStream.Core.Media;
using Xunit;
using static CmvcStream.Core.Tests.Control.LinkClock;

namespace CmvcStream.Core.Tests.Control;

/// <summary>An hour of link in virtual time, for each rate and loss: what an application gets of it.</summary>
public sealed class LinkGoodputTests
{
    private static readonly MediaTime _hour = MediaTime.FromSeconds(3600);

    public static TheoryData<int, double> Cells => [.. from rate in new[] { 2000, 8000, 30_000 } from loss in new[] { 0, 0.02, 0.1 } select (rate, loss)];

    [Theory]
    [MemberData(nameof(Cells))]
    public void Udp_Saturated_IsTheRateLessHeadersAndLoss(int rate, double loss)
    {
        const int Payload = 100;
        var link = new LinkModel<MediaTime>(new() { Rate = new(rate), Delay = Ms(200), Loss = loss, Seed = 5 });
        var got = 0;
        for (var now = Ms(0); now < _hour; now += Ms(20))
        {
            while (link.HasRoom(now, LinkUdp.WireSize(Payload)))
                link.Offer(now, LinkUdp.WireSize(Payload), now);
            while (link.TryDeliver(now, out _))
                got++;
        }

        var expected = rate * (1 - loss) * Payload / LinkUdp.WireSize(Payload).Bytes;
        Assert.InRange(got * Payload * 8 / _hour.Seconds / expected, 0.98, 1.02);
    }

    [Theory]
    [MemberData(nameof(Cells))]
    public void Tcp_Saturated_IsTheRateLessHeadersAndWhatIsSentAgain(int rate, double loss)
    {
        const int Payload = 500;
        var link = new LinkModel<int>(new() { Rate = new(rate), Delay = Ms(200), Loss = loss, Seed = 5 });
        var stream = link.OpenStream(handshake: true);
        var (sent, got) = (0, 0);
        for (var now = Ms(0); now < _hour; now += Ms(20))
        {
            while (stream.TrySend(now, LinkTcp.WireSize(Payload), sent))
                sent++;
            while (link.TryDeliver(now, out var number))
                Assert.Equal(got++, number);
        }

        var expected = rate * (1 - loss) * Payload / LinkTcp.WireSize(Payload).Bytes; // each segment is sent 1 / (1 - loss) times
        Assert.InRange(got * Payload * 8 / _hour.Seconds / expected, 0.97, 1.02);
        Assert.InRange(link.Counters.LostPackets / (double)link.Counters.OfferedPackets, loss * 0.65, (loss * 1.35) + 1e-9);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(0.02)]
    [InlineData(0.1)]
    public void Tcp_Sparse_LossMakesLateWhatIsBehindIt(double loss)
    {
        // A message every 500 ms, as a paced sender has it: a lost one is late by its timer (0.6 s and more), and so is what is behind it.
        var link = new LinkModel<MediaTime>(new() { Rate = new(8000), Delay = Ms(200), Loss = loss, Seed = 5 });
        var stream = link.OpenStream();
        var late = new List<double>();
        for (var now = Ms(0); now < _hour; now += Ms(5))
        {
            if (now.Microseconds % 500_000 == 0)
                stream.TrySend(now, new(200), now);
            while (link.TryDeliver(now, out var sent))
                late.Add((now - sent).Milliseconds);
        }

        Assert.Equal(400, late.Min());
        Assert.InRange(late.Count(l => l > 600) / (double)late.Count, loss, (loss * 4) + 1e-9); // itself, and up to three behind it
        if (loss > 0)
            Assert.InRange(late.Where(l => l > 600).Average(), 700, 3000);
    }
}
