using CmvcStream.Evaluate.Compare;
using CmvcStream.Evaluate.Report;
using CmvcStream.Evaluate.Tests.Compare;

namespace CmvcStream.Evaluate.Tests.Report;

public class HtmlReportTests
{
    private readonly Evaluation _evaluation = Samples.Of(
        Samples.Clip("<clip>", [Samples.Ours(4, 3, 30, lpips: .3), Samples.Ours(8, 7, 34, lpips: .2)], Samples.Peer("x265", 5, 9, 29, lpips: .4), Samples.Peer("x265", 16, 20, 35, lpips: .15))) with
    {
        Failures = ["something & something"],
        Live = [new() { Clip = "c", Name = "WebRTC", RateKbps = 8, Settings = "AV1", Failure = "DTLS took too long", Commands = ["chromium"] }],
    };

    [Fact]
    public void Render_Page_IsSelfContained()
    {
        var page = HtmlReport.Render(_evaluation, (_, _) => "data:image/jpeg;base64,AAAA");

        Assert.DoesNotContain("http:", page);
        Assert.DoesNotContain("https:", page);
        Assert.DoesNotContain("<script", page);
        Assert.DoesNotMatch("(src|href)=\"(?!data:|#)", page);
        Assert.Contains("src=\"data:image/jpeg;base64,AAAA\"", page);
    }

    [Fact]
    public void Render_NamesAndMessages_AreTextAndNoMarkup()
    {
        var page = HtmlReport.Render(_evaluation, (_, _) => null);

        Assert.Contains("&lt;clip&gt;", page);
        Assert.DoesNotContain("<clip>", page);
        Assert.Contains("something &amp; something", page);
        Assert.Contains("./cmvc send &lt;now&gt;", page);
    }

    [Fact]
    public void Render_OnePage_HasEveryCurveAndTheCommandsOfItsNumbers()
    {
        var page = HtmlReport.Render(_evaluation, (_, _) => null);

        Assert.Equal(8, page.Split("<svg ").Length - 1); // LPIPS, SSIM, MS-SSIM, PSNR, payload and wire
        Assert.Contains("ffmpeg x265 5", page);
        Assert.Contains("ffmpeg x265 16", page);
        Assert.Contains("nothing shown: DTLS took too long", page);
        Assert.Contains("none; least 5.0", page);
    }

    [Fact]
    public void Render_OursAlone_LeavesOutComparisons()
    {
        var page = HtmlReport.Render(Samples.Of(Samples.Clip("c", [Samples.Ours(8, 7, 34)])), (_, _) => null);
        Assert.DoesNotContain("BD-rate", page);
        Assert.Contains("start-up", page);
    }
}
