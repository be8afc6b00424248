using CmvcStream.Core.Control;
using CmvcStream.Core.Media;
using Xunit;
using static CmvcStream.Core.Tests.Control.LinkClock;

namespace CmvcStream.Core.Tests.Control;

public sealed class LinkPresetTests
{
    public static TheoryData<string> Names => [.. LinkPreset.All.Select(p => p.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void Find_EachPreset_CarriesWhatItSaysOverTcpAndAsDatagrams(string name)
    {
        var preset = LinkPreset.Find(name);
        preset.Link.Validate();
        var mean = preset.Link.MeanRate!.Value;
        Assert.InRange(mean.BitsPerSecond, 1000, 50_000);
        Assert.Contains((mean.KilobitsPerSecond >= 10 ? $"{mean.KilobitsPerSecond:0}" : $"{mean.KilobitsPerSecond:0.0}") + " kbit/s", preset.Summary, StringComparison.Ordinal);

        var link = new LinkModel<int>(preset.Link);
        var stream = link.OpenStream();
        var until = MediaTime.FromSeconds(960); // four rounds of a trace
        for (var now = Ms(0); now < until; now += Ms(50))
        {
            while (stream.TrySend(now, new(700), 1))
            {
            }

            link.Offer(now, new(100), 2);
            while (link.TryDeliver(now, out _))
            {
            }
        }

        var c = link.Counters;
        Assert.InRange((c.DeliveredBytes + c.LostBytes).Bytes / (double)mean.Over(until).Bytes, 0.97, 1.01);
        Assert.Equal(preset.Link.Loss > 0, c.LostPackets > 0);
    }

    [Fact]
    public void Find_Unknown_NamesAll()
    {
        var e = Assert.Throws<FormatException>(() => LinkPreset.Find("isdn"));
        Assert.All(LinkPreset.All, p => Assert.Contains(p.Name, e.Message, StringComparison.Ordinal));
    }

    [Fact]
    public void Driving_HasFadesAndStallsAndTheMeanAskedFor()
    {
        var trace = LinkFading.Driving(new(30_000), seed: 1);
        Assert.InRange(trace.Mean.BitsPerSecond, 29_900, 30_100);
        Assert.Equal(MediaTime.FromSeconds(240), trace.Period);
        Assert.Equal(trace.Scale, LinkFading.Driving(new(30_000), seed: 1).Scale);

        var perSecond = Enumerable.Range(0, 240).Select(s => trace.FirstFrom(MediaTime.FromSeconds(s + 1)) - trace.FirstFrom(MediaTime.FromSeconds(s))).ToList();
        Assert.InRange(perSecond.Count(n => n == 0), 3, 60); // stalls
        Assert.InRange(perSecond.Max() / perSecond.Average(), 1.5, 4);
    }
}
