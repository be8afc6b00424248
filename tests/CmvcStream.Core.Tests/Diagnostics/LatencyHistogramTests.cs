using CmvcStream.Core.Diagnostics;
using CmvcStream.Core.Media;
using Xunit;

namespace CmvcStream.Core.Tests.Diagnostics;

public sealed class LatencyHistogramTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(50)]
    [InlineData(1000)]
    [InlineData(3e6)]
    [InlineData(1e12)]
    public void Percentiles_SpreadEvenly_AreRightWithinThreePercent(double scale)
    {
        var histogram = new LatencyHistogram();
        for (var i = 1; i <= 1000; i++)
            histogram.Add(new((long)(i * scale)));

        var p = histogram.Percentiles()!;
        Assert.Equal(scale, p.Max, Math.Max(0.006, scale * 1e-6)); // 1000 scale, in milliseconds
        Assert.InRange(p.P50, (scale * 0.485) - 0.006, (scale * 0.515) + 0.006);
        Assert.InRange(p.P95, (scale * 0.92) - 0.006, (scale * 0.98) + 0.006);
    }

    [Fact]
    public void Percentiles_NothingMeasured_IsNull() => Assert.Null(new LatencyHistogram().Percentiles());

    [Fact]
    public void Percentiles_OneValue_IsThatValue()
    {
        var histogram = new LatencyHistogram();
        histogram.Add(MediaTime.FromMilliseconds(123.45));
        Assert.Equal(123.45, histogram.Percentiles()!.Max);
        Assert.InRange(histogram.Percentiles()!.P50, 120, 123.45);
    }
}
