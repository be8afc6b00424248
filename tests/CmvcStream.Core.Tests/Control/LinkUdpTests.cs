using CmvcStream.Core.Control;
using Xunit;

namespace CmvcStream.Core.Tests.Control;

public sealed class LinkUdpTests
{
    [Theory]
    [InlineData(0, 28, 48)]
    [InlineData(100, 128, 148)]
    [InlineData(1452, 1480, 1500)]
    [InlineData(1453, 1481, 1453 + 8 + (2 * 48))]
    [InlineData(1472, 1500, 1472 + 8 + (2 * 48))]
    [InlineData(1473, 1473 + 8 + (2 * 20), 1473 + 8 + (2 * 48))]
    [InlineData(4000, 4000 + 8 + (3 * 20), 4000 + 8 + (3 * 48))]
    public void WireSize_HeadersOfEachFragment(int payload, int v4, int v6)
    {
        Assert.Equal(v4, LinkUdp.WireSize(payload).Bytes);
        Assert.Equal(v6, LinkUdp.WireSize(payload, v6: true).Bytes);
    }
}
