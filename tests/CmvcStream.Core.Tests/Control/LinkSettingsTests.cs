using CmvcStream.Core.Control;
using CmvcStream.Core.Media;
using Xunit;

namespace CmvcStream.Core.Tests.Control;

public sealed class LinkSettingsTests
{
    public static TheoryData<LinkSettings, string> Impossible => new()
    {
        { new() { Rate = new(0) }, "rate" },
        { new() { Rate = new(-8000) }, "rate" },
        { new() { Rate = new(10_000_000_001) }, "rate" },
        { new() { Delay = new(-1) }, "delay" },
        { new() { Delay = MediaTime.FromSeconds(61) }, "delay" },
        { new() { Delay = new(10), Jitter = new(11) }, "jitter" },
        { new() { Queue = new(0) }, "queue" },
        { new() { Loss = -0.01 }, "loss" },
        { new() { Loss = double.NaN }, "loss" },
        { new() { Loss = 1.01 }, "loss" },
        { new() { Loss = 0.9, LossBurst = 3 }, "loss" },
        { new() { Loss = 0.1, LossBurst = 0.5 }, "loss burst" },
        { new() { Reorder = 0.6 }, "reorder" },
        { new() { Duplicate = 1.5 }, "duplicate" },
        { new() { Outages = [new(new(5), new(0))] }, "outage" },
        { new() { Outages = [new(new(5), new(9)), new(new(-5), new(9))] }, "outage" },
        { new() { Rate = new(8000), Trace = LinkTrace.Parse(["1"]) }, "rate and trace" },
    };

    [Theory]
    [MemberData(nameof(Impossible))]
    public void Validate_OutOfRange_NamesTheValue(LinkSettings settings, string name)
    {
        var e = Assert.Throws<ArgumentException>(settings.Validate);
        Assert.StartsWith(name, e.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => new LinkModel<int>(settings));
    }

    [Fact]
    public void Validate_TheLimitsThemselves_Pass() =>
        new LinkSettings { Rate = LinkSettings.MaxRate, Delay = LinkSettings.MaxDelay, Jitter = LinkSettings.MaxDelay, Queue = new(1) }
            .Validate();

    [Fact]
    public void DefaultQueue_ByRate_IsFourKilobytesOrOneSecond()
    {
        Assert.Equal(4000, LinkSettings.DefaultQueue(null).Bytes);
        Assert.Equal(4000, LinkSettings.DefaultQueue(new(8000)).Bytes);
        Assert.Equal(25_000, LinkSettings.DefaultQueue(new(200_000)).Bytes);
    }
}
