using CmvcStream.Evaluate.Peers;

namespace CmvcStream.Evaluate.Tests.Peers;

public class RtpPackingTests
{
    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 51)]
    [InlineData(1200, 1250)]
    [InlineData(1201, 1301)]
    public void WireBytes_OneFrame_HasAHeaderAPacket(int frame, long expected) => Assert.Equal(expected, RtpPacking.WireBytes([frame]));

    [Fact]
    public void WireBytes_FifteenSmallFrames_EachGoAlone() => Assert.Equal(15 * 80, RtpPacking.WireBytes(Enumerable.Repeat(30, 15)));
}
