using CmvcStream.Evaluate.Metrics;

namespace CmvcStream.Evaluate.Tests.Metrics;

public class TemporalDistanceTests
{
    [Fact]
    public void Mean_FlickerAndHeldFrame_BothCount()
    {
        var distance = new TemporalDistance();
        Assert.Null(distance.Mean);
        distance.Add(source: 0.1, received: 0.4);
        distance.Add(source: 0.2, received: 0);
        Assert.Equal(2, distance.Count);
        Assert.Equal(0.25, distance.Mean!.Value, 1e-12);
    }

    [Fact]
    public void Add_NotANumber_Throws() => Assert.Throws<ArgumentException>(() => new TemporalDistance().Add(double.NaN, 0));
}
