using CmvcStream.Codecs.Av1;
using CmvcStream.Core.Codec;
using CmvcStream.Core.Media;

namespace CmvcStream.Codecs.Tests.Av1;

/// <summary>Keyframes are lost and mended from acknowledged ones; libaom itself aborts the process where it is asked for what it cannot do.</summary>
public sealed class MendTests
{
    private static readonly PixelSize Size = new(240, 136);

    /// <summary>
    /// Losses at random, acknowledgements two to six keyframes late and some of them lost too: what the receiver takes is exactly what the
    /// sender has, a keyframe that mends is always taken, and intra is only what nothing acknowledged is left for.
    /// </summary>
    [Theory]
    [InlineData(1, 0.05, false)]
    [InlineData(2, 0.05, false)]
    [InlineData(3, 0.3, false)]
    [InlineData(4, 0.3, false)]
    [InlineData(5, 0.05, true)]
    [InlineData(6, 0.3, true)]
    [InlineData(7, 0.3, true)]
    [InlineData(8, 0.3, true)]
    public void Encode_RandomLosses_StaysExactAndIsMended(int seed, double loss, bool resized)
    {
        using var link = new LossyLink(Size, seed, resized);
        link.Run(100, loss);

        Assert.True(link.Lost > 0 && link.Mended > link.Lost / 5, $"{link.Lost} lost, {link.Mended} mended");
        Assert.True(!resized || link.Resized > 10, $"{link.Resized} of another size");
        // An intra one that is lost itself, or whose followers are before anything is acknowledged, must be repeated.
        Assert.InRange(link.Intra, 1, resized ? 8 : 1);
    }

    [Fact]
    public void Encode_Mending_IsPredictedFromTheNewestAcknowledgedOneThatIsKept()
    {
        using var encoder = new AomKeyframeEncoder(Size);
        for (var n = 1; n <= 20; n++)
            Encode(encoder, n);
        encoder.Acknowledge(16);
        encoder.Acknowledge(14);    // comes late
        encoder.Acknowledge(99);    // was never coded

        Encode(encoder, 21, mend: true);
        Assert.Equal((false, 15), (encoder.Last.Intra, encoder.Last.Base));
        Encode(encoder, 22);
        Assert.Equal(21, encoder.Last.Base);
        encoder.Acknowledge(22);
        Encode(encoder, 23, mend: true);
        Assert.Equal(22, encoder.Last.Base);
    }

    [Fact]
    public void Encode_AcknowledgementsStop_KeepsTheLastOne()
    {
        using var encoder = new AomKeyframeEncoder(Size, new() { Speed = 6 });
        using AomKeyframeDecoder whole = new(Size), lossy = new(Size);
        for (var n = 1; n <= 10; n++)
            Both(n);
        encoder.Acknowledge(10);
        for (var n = 11; n <= 100; n++)
            whole.Decode(Encode(encoder, n)).Dispose();

        Both(101, mend: true);
        Assert.Equal(9, encoder.Last.Base);
        for (var n = 102; n <= 110; n++)
            Both(n);

        void Both(int n, bool mend = false)
        {
            var packet = Encode(encoder, n, mend);
            using var truth = whole.Decode(packet);
            using var shown = lossy.Decode(packet);
            Assert.True(Pictures.Same(truth, shown), $"picture {n}");
        }
    }

    [Fact]
    public void Encode_NothingAcknowledged_MendsWithAnIntraKeyframe()
    {
        using var encoder = new AomKeyframeEncoder(Size);
        Encode(encoder, 1);
        Encode(encoder, 2);
        Encode(encoder, 3, mend: true);
        Assert.Equal((true, 0), (encoder.Last.Intra, encoder.Last.Base));

        // What was acknowledged before an intra keyframe is gone with it.
        encoder.Acknowledge(2);
        Encode(encoder, 4, mend: true);
        Assert.True(encoder.Last.Intra);
    }

    [Fact]
    public void Measure_Mending_LeavesNoTrace()
    {
        using var encoder = new AomKeyframeEncoder(Size);
        using var decoder = new AomKeyframeDecoder(Size);
        for (var n = 1; n <= 12; n++)
        {
            encoder.Acknowledge(n - 4);
            var settings = new KeyframeSettings(45, CodedScale.Full, Intra: false, Mend: n > 6);
            if (n > 6)
            {
                var measured = encoder.Measure(Pictures.Scene(Size, n), settings);
                var mended = encoder.Measure(Pictures.Scene(Size, n), settings);
                Assert.InRange(measured, mended * 0.9 - 8, mended * 1.1 + 8);
                Assert.Equal(((n - 5) / 2 * 2 + 1, false), ((int)encoder.Last.Base, encoder.Last.Intra));
            }

            using var shown = decoder.Decode(Encode(encoder, n));
            Assert.True(Pictures.Psnr(Pictures.Scene(Size, n), shown) > 25, $"picture {n}");
        }
    }

    private static byte[] Encode(AomKeyframeEncoder encoder, int n, bool mend = false) =>
        encoder.Encode(Pictures.Scene(Size, n), new(45, CodedScale.Full, Intra: false, mend)).ToArray();
}
