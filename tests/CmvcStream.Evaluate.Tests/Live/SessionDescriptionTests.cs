using CmvcStream.Evaluate.Live;

namespace CmvcStream.Evaluate.Tests.Live;

public class SessionDescriptionTests
{
    private static readonly string _sdp = string.Join("\r\n",
        "v=0", "m=video 40943 UDP/TLS/RTP/SAVPF 96",
        "a=candidate:1 1 tcp 1518 192.0.2.7 9 typ host tcptype active",
        "a=candidate:2 1 udp 2113 fd00::2 45932 typ host generation 0",
        "a=candidate:3 1 udp 2112 192.0.2.7 40943 typ host generation 0",
        "a=extmap:1 urn:ietf:params:rtp-hdrext:toffset",
        "a=extmap:2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time",
        "a=rtpmap:96 VP8/90000", "a=rtcp-fb:96 goog-remb", "a=rtcp-fb:96 transport-cc", "");

    [Fact]
    public void HostCandidate_SeveralKinds_IsTheOneOverUdpAndIpV4()
    {
        var candidate = SessionDescription.HostCandidate(_sdp)!.Value;
        Assert.Equal(("192.0.2.7", 40943), (candidate.Host, candidate.Port));
        Assert.Equal("a=candidate:3 1 udp 2112 127.0.0.1 6001 typ host generation 0", candidate.Through("127.0.0.1:6001"));
    }

    [Fact]
    public void HostCandidate_NamesInsteadOfAddresses_IsNone() => Assert.Null(SessionDescription.HostCandidate("a=candidate:3 1 udp 2112 6e2d.local 40943 typ host\r\n"));

    [Fact]
    public void WithoutCandidates_Description_KeepsAllElse()
    {
        var left = SessionDescription.WithoutCandidates(_sdp);
        Assert.DoesNotContain("candidate", left);
        Assert.Equal(_sdp.Split("\r\n").Length - 3, left.Split("\r\n").Length);
    }

    [Fact]
    public void With_Line_IsTheLast() => Assert.EndsWith("a=rtcp-fb:96 transport-cc\r\na=x\r\n", SessionDescription.With(_sdp, "a=x"));

    [Fact]
    public void Slim_Description_KeepsSendingTimeAndRemb()
    {
        var slim = SessionDescription.Slim(_sdp);
        Assert.Contains("abs-send-time", slim);
        Assert.Contains("goog-remb", slim);
        Assert.DoesNotContain("toffset", slim);
        Assert.DoesNotContain("transport-cc", slim);
    }

    [Theory]
    [InlineData("a=rtpmap:96 VP8/90000\r\n", "a=rtpmap:96 VP8/90000\r\na=fmtp:96 x-google-start-bitrate=5;x-google-min-bitrate=1\r\n")]
    [InlineData("a=rtpmap:45 AV1/90000\r\na=fmtp:45 profile=0\r\n", "a=rtpmap:45 AV1/90000\r\na=fmtp:45 profile=0;x-google-start-bitrate=5;x-google-min-bitrate=1\r\n")]
    [InlineData("v=0\r\n", "v=0\r\n")]
    public void WithRates_Format_GetsThem(string sdp, string expected) => Assert.Equal(expected, SessionDescription.WithRates(sdp, 5, 1));
}
