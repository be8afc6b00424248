using CmvcStream.Core.Media;
using CmvcStream.Evaluate.Live;

namespace CmvcStream.Evaluate.Tests.Live;

public class FfmpegSettingsTests
{
    [Theory]
    [InlineData("1kbps")]
    [InlineData("8kbps")]
    [InlineData("16kbps")]
    [InlineData("32kbps")]
    [InlineData("1Mbps")]
    public void For_AnyRate_FitsTheLinkWithItsPackets(string rate)
    {
        var link = Bitrate.Parse(rate);
        foreach (var udp in new[] { false, true })
        {
            var chosen = FfmpegSettings.For(link, 15, udp);
            Assert.InRange(chosen.Kbps, 0.5, Math.Max(0.5, link.KilobitsPerSecond * 0.95));
        }
    }

    [Fact]
    public void Size_Divisor_HasEvenSides() => Assert.Equal(new(120, 68), new FfmpegSettings(1, 4, 8).Size(new(480, 270)));

    [Fact]
    public void VideoKbps_MoreFramesASecond_LeaveLess() => Assert.True(FfmpegSettings.VideoKbps(32, 5, udp: false) > FfmpegSettings.VideoKbps(32, 15, udp: false));
}
