using CmvcStream.Evaluate.Compare;
using CmvcStream.Evaluate.Measure;

namespace CmvcStream.Evaluate.Tests.Compare;

public class PeerCurvesTests
{
    [Fact]
    public void Best_BetweenTwoEncodings_IsLinearInTheLogarithmOfTheRate()
    {
        PeerPoint[] points = [Samples.Peer("x", 4, 10, 30), Samples.Peer("x", 16, 20, 36)];

        var best = PeerCurves.Best(points, Basis.Payload, Metric.Psnr, 8);

        Assert.Equal(33, best!.Value, 9);
        Assert.Same(points[0], best.Below);
        Assert.Same(points[1], best.Above);
    }

    [Fact]
    public void Best_AtAnEncoding_IsThatEncoding()
    {
        PeerPoint[] points = [Samples.Peer("x", 4, 10, 30), Samples.Peer("x", 8, 14, 32), Samples.Peer("x", 16, 20, 36)];
        var best = PeerCurves.Best(points, Basis.Payload, Metric.Psnr, 8);
        Assert.Equal((32, points[1], null), (best!.Value, best.Below, best.Above));
    }

    [Fact]
    public void Best_BelowTheLeastRate_IsNone() =>
        Assert.Null(PeerCurves.Best([Samples.Peer("x", 4, 10, 30), Samples.Peer("x", 16, 20, 36)], Basis.Payload, Metric.Psnr, 3.9));

    [Fact]
    public void Best_BeyondTheGreatestRate_IsTheBestMeasured() =>
        Assert.Equal(36, PeerCurves.Best([Samples.Peer("x", 4, 10, 30), Samples.Peer("x", 16, 20, 36)], Basis.Payload, Metric.Psnr, 40)!.Value);

    [Fact]
    public void Best_SeveralConfigurations_NeverMixesTwoInOneCurve()
    {
        // Half size is best at 4, full size at 16; at 8 each has its own line: 31.5 and 31.
        PeerPoint[] points = [Samples.Peer("x", 4, 10, 30, size: 2), Samples.Peer("x", 16, 20, 33, size: 2), Samples.Peer("x", 4, 10, 26), Samples.Peer("x", 16, 20, 36)];
        Assert.Equal(31.5, PeerCurves.Best(points, Basis.Payload, Metric.Psnr, 8)!.Value, 9);
    }

    [Fact]
    public void Best_Distance_LessIsBetter()
    {
        PeerPoint[] points = [Samples.Peer("x", 8, 10, 30, lpips: .3), Samples.Peer("y", 8, 10, 36, lpips: .4)];
        Assert.Equal("x", PeerCurves.Best(points, Basis.Payload, Metric.Lpips, 8)!.Below.Codec);
        Assert.Equal("y", PeerCurves.Best(points, Basis.Payload, Metric.Psnr, 8)!.Below.Codec);
    }

    [Fact]
    public void Best_TheTwoBases_AreNeverMixed()
    {
        PeerPoint[] points = [Samples.Peer("x", 4, 10, 30), Samples.Peer("x", 16, 22, 36)];
        Assert.Null(PeerCurves.Best(points, Basis.Wire, Metric.Psnr, 8));
        Assert.NotNull(PeerCurves.Best(points, Basis.Payload, Metric.Psnr, 8));
    }

    [Fact]
    public void Front_PointThatCostsMoreAndIsWorse_IsLeftOut()
    {
        PeerPoint[] points = [Samples.Peer("x", 8, 10, 31), Samples.Peer("x", 4, 10, 30), Samples.Peer("x", 9, 10, 30.5), Samples.Peer("x", 16, 20, 36)];
        Assert.Equal([4, 8, 16], PeerCurves.Front(points, Basis.Payload, Metric.Psnr).Select(p => p.PayloadKbps));
    }
}
