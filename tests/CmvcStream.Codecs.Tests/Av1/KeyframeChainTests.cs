using CmvcStream.Codecs.Av1;
using CmvcStream.Core.Codec;
using CmvcStream.Core.Media;

namespace CmvcStream.Codecs.Tests.Av1;

public sealed class KeyframeChainTests
{
    private static readonly PixelSize Usual = new(480, 270);

    [Theory]
    [InlineData(480, 270)]
    [InlineData(241, 135)]
    [InlineData(16, 16)]
    [InlineData(37, 350)]
    public void Encode_ThenDecode_GivesThePictureBack(int width, int height)
    {
        var size = new PixelSize(width, height);
        using var encoder = new AomKeyframeEncoder(size);
        using var decoder = new AomKeyframeDecoder(size);
        for (var n = 0; n < 4; n++)
        {
            var picture = Pictures.Scene(size, n);
            using var decoded = decoder.Decode(encoder.Encode(picture, new(20, CodedScale.Full, Intra: false)));
            Assert.Equal(size, decoded.Size);
            Assert.True(Pictures.Psnr(picture, decoded) > 35, $"picture {n}: {Pictures.Psnr(picture, decoded):0.0} dB");
            Assert.True(Pictures.ChromaPsnr(picture, decoded) > 35, $"picture {n}: chroma {Pictures.ChromaPsnr(picture, decoded):0.0} dB");
            Assert.Equal(n == 0, encoder.Last.Intra);
        }
    }

    [Fact]
    public void Encode_WithoutIntra_IsFarSmallerThanIntra()
    {
        using var encoder = new AomKeyframeEncoder(Usual);
        var intra = encoder.Encode(Pictures.Scene(Usual, 0), new(45, CodedScale.Full, false)).Length;
        var predicted = encoder.Encode(Pictures.Scene(Usual, 1), new(45, CodedScale.Full, false)).Length;
        Assert.True(predicted * 2 < intra, $"intra {intra} B, predicted {predicted} B");
    }

    [Fact]
    public void Measure_GivesTheSizeAndLeavesNoTrace()
    {
        using AomKeyframeEncoder tried = new(Usual), plain = new(Usual);
        using var decoder = new AomKeyframeDecoder(Usual);
        double bytes = 0, bytesWithoutTrials = 0;
        for (var n = 0; n < 24; n++)
        {
            var picture = Pictures.Scene(Usual, n);
            var settings = new KeyframeSettings(40 + n % 20, n % 8 < 4 ? CodedScale.ThreeQuarters : CodedScale.Full, Intra: n == 12);
            tried.Measure(Pictures.Scene(Usual, n + 40), settings with { Quality = 63 });
            var measured = tried.Measure(picture, settings);
            var data = tried.Encode(picture, settings).ToArray();
            // Trials adapt some of libaom's searches, so that single choices may differ.
            Assert.InRange(measured, data.Length * 0.8 - 8, data.Length * 1.2 + 8);
            bytes += data.Length;
            bytesWithoutTrials += plain.Encode(picture, settings).Length;
            Assert.Equal(plain.Last.Intra, tried.Last.Intra);
            // The receiver, which never sees a trial, has what is left without any.
            using var shown = decoder.Decode(data);
            Assert.Equal(settings.Scale.Of(Usual), shown.Size);
            if (settings.Scale == CodedScale.Full)
                Assert.True(Pictures.Psnr(picture, shown) > 25, $"picture {n}: {Pictures.Psnr(picture, shown):0.0} dB");
        }

        Assert.InRange(bytes, bytesWithoutTrials * 0.97, bytesWithoutTrials * 1.03);
    }

    [Fact]
    public void Measure_SizeOutOfReach_IsIntraAndSoIsWhatFollows()
    {
        using var encoder = new AomKeyframeEncoder(Usual);
        using var decoder = new AomKeyframeDecoder(Usual);
        decoder.Decode(encoder.Encode(Pictures.Scene(Usual, 0), new(50, CodedScale.Full, Intra: true))).Dispose();
        encoder.Measure(Pictures.Scene(Usual, 1), new(50, CodedScale.Quarter, Intra: false));
        Assert.True(encoder.Last.Intra);

        // The trial has replaced what could be predicted from, and the receiver has not seen it.
        decoder.Decode(encoder.Encode(Pictures.Scene(Usual, 2), new(50, CodedScale.Full, Intra: false))).Dispose();
        Assert.True(encoder.Last.Intra);
    }

    [Fact]
    public void Encode_QualityChanges_TakesEffectWithThatFrame()
    {
        using var encoder = new AomKeyframeEncoder(Usual);
        using var decoder = new AomKeyframeDecoder(Usual);
        int[] qualities = [55, 55, 25, 60, 30, 63, 50, 50, 50, 50, 50, 50, 50, 50, 50, 50, 50, 50, 50, 50];
        // What cq-level n stands for: 4 n, a little stretched at the end (AV1's base_q_idx).
        var expected = qualities.Select(q => q < 62 ? q * 4 : q == 62 ? 249 : 255).ToArray();
        var actual = new int[qualities.Length];
        var psnr = new double[qualities.Length];
        for (var n = 0; n < qualities.Length; n++)
        {
            var picture = Pictures.Scene(Usual, n);
            using var decoded = decoder.Decode(encoder.Encode(picture, new(qualities[n], CodedScale.Full, false)));
            actual[n] = encoder.Last.QuantizerIndex;
            psnr[n] = Pictures.Psnr(picture, decoded);
        }

        Assert.Equal(expected, actual);
        Assert.True(psnr[2] > psnr[1] + 3 && psnr[4] > psnr[3] + 3, $"{psnr[1]:0.0} {psnr[2]:0.0} {psnr[3]:0.0} {psnr[4]:0.0} dB");
    }

    [Fact]
    public void Encode_ForcedIntra_DecodesAlone()
    {
        using var encoder = new AomKeyframeEncoder(Usual);
        for (var n = 0; n < 3; n++)
            encoder.Encode(Pictures.Scene(Usual, n), new(40, CodedScale.Full, false));
        var picture = Pictures.Scene(Usual, 3);
        var intra = encoder.Encode(picture, new(30, CodedScale.Full, Intra: true)).ToArray();
        Assert.True(Av1Unit.IsIntra(intra));
        var next = encoder.Encode(Pictures.Scene(Usual, 4), new(30, CodedScale.Full, false)).ToArray();
        Assert.False(Av1Unit.IsIntra(next));

        using var late = new AomKeyframeDecoder(Usual);
        using var decoded = late.Decode(intra);
        Assert.True(Pictures.Psnr(picture, decoded) > 33);
        late.Decode(next).Dispose();
    }

    [Fact]
    public void Decode_OnTwoDecoders_IsBitExact()
    {
        using var encoder = new AomKeyframeEncoder(Usual);
        using AomKeyframeDecoder a = new(Usual), b = new(Usual);
        for (var n = 0; n < 8; n++)
        {
            var scale = n < 4 ? CodedScale.Full : CodedScale.Half;
            var packet = encoder.Encode(Pictures.Scene(Usual, n), new(40 + n, scale, false)).ToArray();
            using var one = a.Decode(packet);
            using var other = b.Decode(packet);
            Assert.True(Pictures.Same(one, other), $"picture {n}");
        }
    }

    [Fact]
    public void Encode_Twice_GivesTheSameBytes()
    {
        using AomKeyframeEncoder a = new(Usual), b = new(Usual);
        for (var n = 0; n < 4; n++)
        {
            var picture = Pictures.Scene(Usual, n);
            var settings = new KeyframeSettings(50, CodedScale.TwoThirds, n == 2);
            Assert.Equal(a.Encode(picture, settings).ToArray(), b.Encode(picture, settings).ToArray());
        }
    }

    [Fact]
    public void Encode_StaticPicture_CostsFewBytes()
    {
        using var encoder = new AomKeyframeEncoder(Usual);
        var picture = Pictures.Scene(Usual, 0);
        encoder.Encode(picture, new(50, CodedScale.Full, false));
        // No temporal delimiter and no sequence header: just the frame.
        Assert.InRange(encoder.Encode(picture, new(50, CodedScale.Full, false)).Length, 5, 60);
    }

    [Fact]
    public void Encode_OtherSize_SaysWhatIsExpected()
    {
        using var encoder = new AomKeyframeEncoder(Usual);
        var e = Assert.Throws<ArgumentException>(() => encoder.Encode(Pictures.Scene(new(320, 180), 0), new(50, CodedScale.Full, false)).Length);
        Assert.Contains("the picture is 320x180, the encoder's are 480x270", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Construct_UnknownTool_NamesIt()
    {
        var e = Assert.Throws<CodecException>(() => new AomKeyframeEncoder(Usual, new() { Tools = [new("no-such-tool", "1")] }));
        Assert.Contains("no-such-tool", e.Message, StringComparison.Ordinal);
    }
}
