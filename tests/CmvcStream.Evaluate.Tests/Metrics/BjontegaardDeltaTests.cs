using CmvcStream.Evaluate.Metrics;

namespace CmvcStream.Evaluate.Tests.Metrics;

public class BjontegaardDeltaTests
{
    private static readonly Dictionary<string, (RatePoint[] Anchor, RatePoint[] Test)> s_curves = new()
    {
        // The example of G. Valenzise's bjontegaard.m and of its Python descendants (github.com/Anserw/Bjontegaard_metric, sample 1).
        ["valenzise"] = ([new(686.76, 40.28), new(309.58, 37.18), new(157.11, 34.24), new(85.95, 31.42)],
            [new(893.34, 40.39), new(407.8, 37.21), new(204.93, 34.17), new(112.75, 31.24)]),
        // README of github.com/FAU-LMS/bjontegaard (C. Herglotz and others).
        ["herglotz"] = ([new(9487.76, 40.037), new(4593.60, 38.615), new(2486.44, 36.845), new(1358.24, 34.851)],
            [new(9787.80, 40.121), new(4469.00, 38.651), new(2451.52, 36.970), new(1356.24, 34.987)]),
        // JCTVC-E137 by way of github.com/Netflix/vmaf, python/test/bd_rate_calculator_test.py.
        ["jctvc1"] = ([new(108048.8736, 43.6471), new(61279.976, 40.3953), new(33905.6656, 37.247), new(18883.6928, 34.2911)],
            [new(108061.2784, 43.6768), new(61299.9936, 40.4232), new(33928.7472, 37.2761), new(18910.912, 34.3147)]),
        ["jctvc2"] = ([new(40433.8848, 37.5761), new(7622.7456, 35.3756), new(2394.488, 33.8977), new(1017.6184, 32.0603)],
            [new(40370.12, 37.5982), new(7587.0024, 35.4025), new(2390.0944, 33.9194), new(1017.0984, 32.0822)]),
        ["three"] = ([new(100, 30), new(200, 33), new(400, 34.5)], [new(90, 30.5), new(220, 34), new(380, 35)]),
        ["two"] = ([new(100, 30), new(400, 36)], [new(90, 31), new(300, 35)]),
        ["seven"] = ([new(50, .61), new(80, .7), new(120, .78), new(200, .86), new(310, .9), new(480, .93), new(800, .95)],
            [new(40, .6), new(75, .73), new(110, .79), new(190, .88), new(300, .92), new(500, .94), new(760, .953)]),
    };

    // Published: what Netflix's test expects of JCTVC-E137's points.
    [Theory]
    [InlineData("jctvc1", -0.465215420752807)]
    [InlineData("jctvc2", -1.8779823450567612)]
    public void Compare_PublishedPoints_PublishedRate(string name, double expected)
    {
        var result = BjontegaardDelta.Compare(s_curves[name].Anchor, s_curves[name].Test);
        Assert.Equal(expected, result.RatePercent!.Value, 1e-10);
        Assert.Equal("", result.Note);
    }

    // SciPy 1.10.1's PchipInterpolator and NumPy 1.24.2's polyfit, by independent_values.py.
    [Theory]
    [InlineData("valenzise", 31.379878202, -1.183472405, 31.397374055, -1.184897922)]
    [InlineData("herglotz", -4.417485351, 0.119692785, -4.420462706, 0.120409419)]
    [InlineData("jctvc1", -0.465215421, 0.025050211, -0.464415420, 0.025059986)]
    [InlineData("jctvc2", -1.877982345, 0.028471891, -1.910168678, 0.028703812)]
    [InlineData("three", -23.443668192, 0.768873521, -24.749562855, 0.762768350)]
    [InlineData("two", -17.841616374, 0.797577670, -17.841616374, 0.797577670)]
    [InlineData("seven", -18.755821513, 0.024327297, -16.198237361, 0.024071438)]
    public void Compare_KnownCurves_AgreesWithSciPy(string name, double rate, double metric, double cubicRate, double cubicMetric)
    {
        var (anchor, test) = s_curves[name];
        var pieces = BjontegaardDelta.Compare(anchor, test);
        var cubic = BjontegaardDelta.Compare(anchor, test, fit: CurveFit.Cubic);
        Assert.Equal(rate, pieces.RatePercent!.Value, 1e-8);
        Assert.Equal(metric, pieces.MetricDelta!.Value, 1e-8);
        Assert.Equal(cubicRate, cubic.RatePercent!.Value, 1e-7);
        Assert.Equal(cubicMetric, cubic.MetricDelta!.Value, 1e-8);
    }

    [Theory]
    [InlineData(0.3, 0.781101351351)]
    [InlineData(2, 2.371621621622)]
    [InlineData(3.5, 2.45)]
    [InlineData(6, 3.618518518519)]
    public void PiecewiseCubic_TurningPoints_AgreesWithSciPy(double x, double expected)
    {
        var curve = new PiecewiseCubic([0, 1, 3, 4, 7], [0, 2, 2.5, 2.4, 5]);
        Assert.Equal(expected, curve.At(x), 1e-11);
        Assert.Equal(15.560925378504, curve.Integral(0.5, 6.5), 1e-11);
        Assert.Equal(5, curve.At(7), 1e-12);
    }

    [Fact]
    public void Compare_HalfTheRateAtAnyMetric_IsMinusFifty()
    {
        var (anchor, _) = s_curves["seven"];
        var result = BjontegaardDelta.Compare(anchor, [.. anchor.Select(p => p with { Kbps = p.Kbps / 2 })]);
        Assert.Equal(-50, result.RatePercent!.Value, 1e-10);
        Assert.Equal(new(0.61, 0.95, 1, 1), result.Metrics);
    }

    [Fact]
    public void Compare_LowerIsBetter_MirrorsHigherIsBetter()
    {
        var (anchor, test) = s_curves["seven"];
        static RatePoint[] Mirror(RatePoint[] points) => [.. points.Select(p => p with { Metric = 1 - p.Metric })];
        var up = BjontegaardDelta.Compare(anchor, test);
        var down = BjontegaardDelta.Compare(Mirror(anchor), Mirror(test), higherIsBetter: false);
        Assert.Equal(up.RatePercent!.Value, down.RatePercent!.Value, 1e-9);
        Assert.Equal(-up.MetricDelta!.Value, down.MetricDelta!.Value, 1e-12);
        Assert.Equal(1 - up.Metrics!.Value.To, down.Metrics!.Value.From, 1e-12);
        Assert.Equal(1 - up.Metrics!.Value.From, down.Metrics!.Value.To, 1e-12);
    }

    [Fact]
    public void Compare_PartOfEachCurve_SaysWhatShare()
    {
        var result = BjontegaardDelta.Compare([new(100, 30), new(1000, 40)], [new(10, 20), new(1000, 35)]);
        Assert.Equal((30.0, 35.0), (result.Metrics!.Value.From, result.Metrics.Value.To));
        Assert.Equal(0.5, result.Metrics.Value.OfAnchor, 1e-12);
        Assert.Equal(1.0 / 3, result.Metrics.Value.OfTest, 1e-12);
        Assert.Equal((1.0, 0.5), (Math.Round(result.Rates!.Value.OfAnchor, 12), Math.Round(result.Rates.Value.OfTest, 12)));
        Assert.Equal(100, result.Rates.Value.From, 1e-9);
        Assert.Contains("the anchor has 2 points, 4 are usual", result.Note);
    }

    [Fact]
    public void Compare_NoCommonMetric_HasNoRateAndSaysSo()
    {
        var result = BjontegaardDelta.Compare([new(100, 30), new(400, 34)], [new(110, 34), new(390, 36)]);
        Assert.Null(result.RatePercent);
        Assert.Null(result.Metrics);
        Assert.NotNull(result.MetricDelta);
        Assert.Contains("no metric is reached by both", result.Note);
    }

    [Fact]
    public void Compare_NoCommonRate_HasNoMetricAndSaysSo()
    {
        var result = BjontegaardDelta.Compare([new(100, 30), new(200, 34)], [new(300, 31), new(390, 36)]);
        Assert.Null(result.MetricDelta);
        Assert.NotNull(result.RatePercent);
        Assert.Contains("no rate is used by both", result.Note);
    }

    [Fact]
    public void Compare_NotMonotone_TakesEfficientPointsAndCountsTheOthers()
    {
        var (anchor, test) = s_curves["valenzise"];
        var worse = test.Append(new(500, 36)).Append(test[1]).Append(test[1] with { Metric = 30 }).Reverse().ToArray();
        BjontegaardResult plain = BjontegaardDelta.Compare(anchor, test), result = BjontegaardDelta.Compare(anchor, worse);
        Assert.Equal(plain.RatePercent, result.RatePercent);
        Assert.Equal(4, result.TestPoints);
        Assert.Equal("3 of 7 points of the test left out: no better than a cheaper one", result.Note);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void Compare_TooFewPoints_HasNoNumber(int count)
    {
        var (anchor, test) = s_curves["valenzise"];
        var result = BjontegaardDelta.Compare(anchor, test[..count]);
        Assert.Null(result.RatePercent);
        Assert.Null(result.MetricDelta);
        Assert.Contains("two at least make a curve", result.Note);
    }

    [Theory]
    [InlineData(0, 30)]
    [InlineData(-1, 30)]
    [InlineData(double.NaN, 30)]
    [InlineData(100, double.NaN)]
    public void Compare_NotAPoint_Throws(double kbps, double metric) =>
        Assert.Throws<ArgumentException>(() => BjontegaardDelta.Compare([new(kbps, metric)], []));
}
