using CmvcStream.Core.Control;
using CmvcStream.Core.Media;
using Xunit;

namespace CmvcStream.Core.Tests.Control;

public sealed class LinkTcpTests
{
    [Theory]
    [InlineData(0, 52)]
    [InlineData(1, 53)]
    [InlineData(1448, 1500)]
    [InlineData(1449, 1553)]
    [InlineData(60_000, 60_000 + 42 * 52)]
    public void WireSize_Payload_AddsAHeaderForEachSegment(int payload, long wire) => Assert.Equal(wire, LinkTcp.WireSize(payload).Bytes);

    [Fact]
    public void OnArrived_EverySecondSegment_AcknowledgesAtOnce()
    {
        var acks = new LinkTcpAcks();
        Assert.Equal([false, true, false, true], Enumerable.Range(0, 4).Select(i => acks.OnArrived(new(i))));
    }

    [Fact]
    public void OnTimer_OneSegment_AcknowledgesAfterFortyMilliseconds()
    {
        var acks = new LinkTcpAcks();
        acks.OnArrived(MediaTime.FromMilliseconds(5));

        Assert.Equal(MediaTime.FromMilliseconds(45), acks.Due);
        Assert.False(acks.OnTimer(MediaTime.FromMilliseconds(44.9)));
        Assert.True(acks.OnTimer(MediaTime.FromMilliseconds(45)));
        Assert.False(acks.OnTimer(MediaTime.FromMilliseconds(90)));
    }

    [Fact]
    public void OnSent_DataGoesBackMeanwhile_CarriesTheAcknowledgement()
    {
        var acks = new LinkTcpAcks();
        acks.OnArrived(new(0));
        acks.OnSent();

        Assert.Null(acks.Due);
        Assert.False(acks.OnTimer(MediaTime.FromSeconds(1)));
        Assert.False(acks.OnArrived(MediaTime.FromSeconds(2)));
    }
}
