using CmvcStream.Codecs.Scaling;
using CmvcStream.Core.Media;

namespace CmvcStream.Codecs.Tests.Scaling;

public sealed class FrameScalerTests
{
    [Theory]
    [InlineData(480, 270, 240, 135)]
    [InlineData(241, 135, 80, 45)]
    [InlineData(64, 48, 48, 36)]
    [InlineData(16, 16, 16, 16)]
    public void Scale_FlatPicture_StaysFlat(int width, int height, int toWidth, int toHeight)
    {
        var source = VideoFrame.Allocate(new(width, height));
        source.Fill(201, 77, 140);
        var target = VideoFrame.Allocate(new(toWidth, toHeight));
        new FrameScaler(source.Size, target.Size).Scale(source, target);
        for (var y = 0; y < toHeight; y++)
            Assert.True(target.Y.Row(y).IndexOfAnyExcept((byte)201) < 0);
        Assert.True(target.U.Row(toHeight / 4).IndexOfAnyExcept((byte)77) < 0);
        Assert.True(target.V.Row(toHeight / 4).IndexOfAnyExcept((byte)140) < 0);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void Scale_Slope_KeepsItsPlace(int ratio)
    {
        var source = VideoFrame.Allocate(new(240, 96));
        for (var y = 0; y < 96; y++)
        {
            for (var x = 0; x < 240; x++)
                source.Y.Row(y)[x] = (byte)(x / 2 + y);
        }

        var target = VideoFrame.Allocate(new(240 / ratio, 96 / ratio));
        new FrameScaler(source.Size, target.Size).Scale(source, target);
        for (var y = 4; y < target.Y.Height - 4; y++)
        {
            for (var x = 4; x < target.Y.Width - 4; x++)
                Assert.InRange(target.Y.Row(y)[x] - (((x + 0.5) * ratio - 0.5) / 2 + (y + 0.5) * ratio - 0.5), -1.3, 0.8);
        }
    }

    [Fact]
    public void Scale_OddSize_KeepsChromaInPlace()
    {
        // 135 rows of chroma become 68, yet the ratio is luma's, 2: row 60 shows what was at 120.5.
        var source = VideoFrame.Allocate(new(480, 270));
        for (var y = 0; y < 135; y++)
            source.U.Row(y).Fill((byte)(60 + y));
        var target = VideoFrame.Allocate(new(240, 135));
        new FrameScaler(source.Size, target.Size).Scale(source, target);
        Assert.InRange(target.U.Row(60)[50], 180, 181);
    }

    [Fact]
    public void Vertical_Vectors_EqualScalar()
    {
        var random = new Random(3);
        var plane = VideoFrame.Allocate(new(77, 20)).Y;
        random.NextBytes(plane.Buffer);
        int[] weights = [-700, 3000, 11000, 4000, -916];
        int[] vectors = new int[77], scalars = new int[77];
        for (var start = 0; start < 15; start++)
        {
            FrameScaler.Vertical(plane, start, weights, vectors);
            FrameScaler.VerticalScalar(plane, start, weights, scalars);
            Assert.Equal(scalars, vectors);
        }
    }
}
