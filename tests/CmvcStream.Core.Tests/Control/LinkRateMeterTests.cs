using CmvcStream.Core.Control;
using CmvcStream.Core.Media;
using Xunit;

namespace CmvcStream.Core.Tests.Control;

public sealed class LinkRateMeterTests
{
    [Fact]
    public void Peak_BusyLink_IsItsRateHoweverLargeThePackets()
    {
        var meter = new LinkRateMeter();
        for (var i = 0; i < 20; i++)
            meter.Add(MediaTime.FromSeconds(1.5 * i), MediaTime.FromSeconds(1.5 * (i + 1)), new(1500));

        Assert.Equal(8000, meter.Peak.BitsPerSecond);
    }

    [Fact]
    public void Peak_BurstAndPauses_IsTheBusiestFiveSeconds()
    {
        var meter = new LinkRateMeter();
        foreach (var (at, bytes) in new[] { (0.5, 900), (10.1, 1000), (12.0, 500), (15.0, 700), (15.2, 400), (90.0, 1500) })
            meter.Add(MediaTime.FromSeconds(at), MediaTime.FromSeconds(at), new(bytes));

        // 10.1 to 15.0 s: 2200 bytes; 12.0 to 15.2 s would be 1600, 10.1 to 15.2 s is more than five seconds.
        Assert.Equal(2200 * 8 / 5, meter.Peak.BitsPerSecond);
    }

    [Fact]
    public void Peak_Random_MatchesASlowReference()
    {
        var random = new Random(11);
        var meter = new LinkRateMeter();
        var points = new List<(long At, int Bytes)>();
        for (long at = 0; points.Count < 400; at += random.Next(1, 40) * 20_000L)
        {
            points.Add((at, random.Next(1, 1500)));
            meter.Add(new(at), new(at), new(points[^1].Bytes));
        }

        var busiest = points.Max(p => points.Where(q => q.At >= p.At && q.At < p.At + 5_000_000).Sum(q => q.Bytes));
        Assert.Equal(Math.Round(busiest * 8 / 5.0), meter.Peak.BitsPerSecond);
    }
}
