using CmvcStream.Codecs.Av1;
using CmvcStream.Core.Codec;
using CmvcStream.Core.Media;

namespace CmvcStream.Codecs.Tests.Av1;

public sealed class KeyframeScaleTests
{
    private static readonly PixelSize Full = new(480, 270);

    [Fact]
    public void Encode_ScaleChanges_CodesThatSizeWithoutIntra()
    {
        using var encoder = new AomKeyframeEncoder(Full);
        using var decoder = new AomKeyframeDecoder(Full);
        (CodedScale, int, int)[] steps =
        [
            (CodedScale.Quarter, 120, 68), (CodedScale.Full, 480, 270), (CodedScale.Half, 240, 135), (CodedScale.Full, 480, 270),
            (CodedScale.ThreeQuarters, 360, 203), (CodedScale.TwoThirds, 320, 180), (CodedScale.Half, 240, 135), (CodedScale.Half, 240, 135),
            (CodedScale.Half, 240, 135), (CodedScale.Third, 160, 90), (CodedScale.Third, 160, 90), (CodedScale.Third, 160, 90),
            (CodedScale.Quarter, 120, 68), (CodedScale.Full, 480, 270),
        ];
        for (var n = 0; n < steps.Length; n++)
        {
            var (scale, width, height) = steps[n];
            using var decoded = decoder.Decode(encoder.Encode(Pictures.Scene(Full, n), new(40, scale, false)));
            Assert.Equal((n, new PixelSize(width, height), n == 0), (n, decoded.Size, encoder.Last.Intra));
            Assert.Equal(decoded.Size, encoder.Last.CodedSize);
        }
    }

    [Theory]
    [InlineData(CodedScale.ThreeQuarters)]
    [InlineData(CodedScale.Half)]
    [InlineData(CodedScale.Third)]
    public void Encode_FirstFrameSmall_GrowsWithoutIntra(CodedScale first)
    {
        using var encoder = new AomKeyframeEncoder(Full);
        using var decoder = new AomKeyframeDecoder(Full);
        var start = encoder.Encode(Pictures.Scene(Full, 0), new(40, first, false)).ToArray();
        Assert.True(encoder.Last.Intra);
        using var small = decoder.Decode(start);
        Assert.Equal(first.Of(Full), small.Size);
        var picture = Pictures.Scene(Full, 1);
        using var large = decoder.Decode(encoder.Encode(picture, new(30, CodedScale.Full, false)));
        Assert.False(encoder.Last.Intra);
        Assert.Equal(Full, large.Size);
        Assert.True(Pictures.Psnr(picture, large) > 30);
    }

    [Fact]
    public void Encode_BelowHalfOfTheReferences_BecomesIntra()
    {
        using var encoder = new AomKeyframeEncoder(Full);
        using var decoder = new AomKeyframeDecoder(Full);
        decoder.Decode(encoder.Encode(Pictures.Scene(Full, 0), new(40, CodedScale.Full, false))).Dispose();
        using var decoded = decoder.Decode(encoder.Encode(Pictures.Scene(Full, 1), new(40, CodedScale.Quarter, false)));
        Assert.True(encoder.Last.Intra);
        Assert.Equal(new PixelSize(120, 68), decoded.Size);
    }

    [Fact]
    public void Encode_Scaled_ShowsTheSamePicture()
    {
        using var encoder = new AomKeyframeEncoder(Full);
        using var decoder = new AomKeyframeDecoder(Full);
        using var decoded = decoder.Decode(encoder.Encode(Pictures.Scene(Full, 0), new(10, CodedScale.Half, false)));
        // The mean of four pixels is near what any good scaler gives for this smooth scene.
        var picture = Pictures.Scene(Full, 0);
        double error = 0;
        for (var y = 0; y < 135; y++)
        {
            for (var x = 0; x < 240; x++)
            {
                var mean = (picture.Y.Row(2 * y)[2 * x] + picture.Y.Row(2 * y)[2 * x + 1] + picture.Y.Row(2 * y + 1)[2 * x] + picture.Y.Row(2 * y + 1)[2 * x + 1]) / 4.0;
                error += (decoded.Y.Row(y)[x] - mean) * (decoded.Y.Row(y)[x] - mean);
            }
        }

        Assert.InRange(error / (240 * 135), 0, 12);
    }

    [Theory]
    [InlineData(480, 270, CodedScale.Half, 240, 135)]
    [InlineData(640, 360, CodedScale.Third, 213, 120)]
    [InlineData(20, 20, CodedScale.Quarter, 16, 16)]
    public void Of_Scale_GivesTheCodedSize(int width, int height, CodedScale scale, int codedWidth, int codedHeight) =>
        Assert.Equal(new PixelSize(codedWidth, codedHeight), scale.Of(new(width, height)));
}
