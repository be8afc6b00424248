using CmvcStream.Evaluate.Compare;
using CmvcStream.Evaluate.Tests.Compare;

namespace CmvcStream.Evaluate.Tests;

public class BaselineTests
{
    private readonly Evaluation _before = Samples.Of(Samples.Clip("c", [Samples.Ours(8, 7, 32, lpips: .20)]));

    private static Evaluation Now(Func<OurResult, OurResult> change) => Samples.Of(Samples.Clip("c", [change(Samples.Ours(8, 7, 32, lpips: .20))]));

    [Fact]
    public void Regressions_SameAgain_AreNone() => Assert.Empty(Baseline.Regressions(_before, Now(o => o)));

    [Fact]
    public void Regressions_BetterInEverything_AreNone() =>
        Assert.Empty(Baseline.Regressions(_before, Now(o => o with { Scores = new(40, .9, .95, .05, null, null), WireKbps = 4, Start = new(.1, .2, .3), LatencyP50 = 1 })));

    [Fact]
    public void Regressions_MoreBytesWithinTheBudget_AreNone() => Assert.Empty(Baseline.Regressions(_before, Now(o => o with { WireKbps = 8.5, ConnectedSeconds = 32 })));

    [Fact]
    public void Regressions_WithinTheTolerance_AreNone() =>
        Assert.Empty(Baseline.Regressions(_before, Now(o => o with { Scores = o.Scores with { Lpips = .215, Psnr = 31.3 } })));

    [Fact]
    public void Regressions_WorseLpips_SaysByHowMuch() =>
        Assert.Equal("c at 8 kbit/s: LPIPS 0.2200 after 0.2000, 0.0160 allowed", Assert.Single(Baseline.Regressions(_before, Now(o => o with { Scores = o.Scores with { Lpips = .22 } }))));

    [Fact]
    public void Regressions_TwiceTheTolerance_LetsItPass() =>
        Assert.Empty(Baseline.Regressions(_before, Now(o => o with { Scores = o.Scores with { Lpips = .22 } }), 2));

    [Theory]
    [InlineData("psnr", "PSNR")]
    [InlineData("ssim", "SSIM")]
    [InlineData("link", "9.00 kbit/s on the link after 8.00")]
    [InlineData("picture", "to the first picture")]
    [InlineData("freeze", "of freeze")]
    [InlineData("latency", "from capture to display")]
    public void Regressions_OneThingMuchWorse_NamesIt(string what, string named)
    {
        var worse = Now(o => what switch
        {
            "psnr" => o with { Scores = o.Scores with { Psnr = 30 } },
            "ssim" => o with { Scores = o.Scores with { Ssim = .4 } },
            "link" => o with { WireKbps = 9, ConnectedSeconds = 30 },
            "picture" => o with { Start = o.Start with { Picture = 9 } },
            "freeze" => o with { Shown = o.Shown with { LongestFreeze = 4 } },
            _ => o with { LatencyP50 = 9 },
        });
        Assert.Contains(named, Assert.Single(Baseline.Regressions(_before, worse)));
    }

    [Fact]
    public void Regressions_RunThatIsMissing_IsOne() =>
        Assert.Contains("c at 8 kbit/s is in the baseline and was not measured", Assert.Single(Baseline.Regressions(_before, Samples.Of(Samples.Clip("c", [Samples.Ours(4, 3, 30)])))));

    [Fact]
    public void Regressions_OtherSettings_AreRefused() =>
        Assert.Contains("other settings", Assert.Throws<EvaluateException>(() => Baseline.Regressions(_before, _before with { Settings = _before.Settings with { Seconds = 10 } })).Message);
}
