using CmvcStream.Core.Media;
using CmvcStream.Receiver.Regenerate;

namespace CmvcStream.Receiver.Tests.Regenerate;

public class BlendTests
{
    [Theory]
    [InlineData(0f)]
    [InlineData(0.3f)]
    [InlineData(1f)]
    public void Into_AnyWeight_EqualsTheScalarFormula(float weight)
    {
        var random = new Random(3);
        using VideoFrame a = VideoFrame.Allocate(new(34, 18)), b = VideoFrame.Allocate(new(34, 18));
        random.NextBytes(a.Y.Buffer);
        random.NextBytes(b.Y.Buffer);
        var w = (int)(weight * 256);
        var expected = a.Y.Buffer.Zip(b.Y.Buffer, (x, y) => (byte)((x * (256 - w) + y * w + 128) >> 8)).ToArray();

        Blend.Into(a, b, weight);

        Assert.Equal(expected, a.Y.Buffer);
    }
}
