using CmvcStream.Codecs.Av1;
using CmvcStream.Core.Codec;
using CmvcStream.Core.Media;

namespace CmvcStream.Codecs.Tests.Av1;

public sealed class ReferencePlanTests
{
    private static readonly PixelSize Size = new(240, 136);

    [Fact]
    public void Encode_FromTheAnchorAlone_MendsALostKeyframe()
    {
        using var encoder = new AomKeyframeEncoder(Size);
        using AomKeyframeDecoder whole = new(Size), lossy = new(Size);
        Both(encoder, whole, lossy, 0, null);
        Both(encoder, whole, lossy, 1, new(ReferenceSlots.All, ReferenceSlots.Chain | ReferenceSlots.Anchor));
        Both(encoder, whole, lossy, 2, new(ReferenceSlots.All, ReferenceSlots.Chain));
        // Number 3 is lost on the way.
        whole.Decode(Encode(encoder, 3, new(ReferenceSlots.All, ReferenceSlots.Chain))).Dispose();
        Both(encoder, whole, lossy, 4, new(ReferenceSlots.Anchor | ReferenceSlots.Spare, ReferenceSlots.Chain));
        Assert.False(encoder.Last.Intra);
        for (var n = 5; n < 12; n++)
            Both(encoder, whole, lossy, n, null);
    }

    [Fact]
    public void Encode_FromTheSpareAlone_BecomesIntra()
    {
        using var encoder = new AomKeyframeEncoder(Size);
        for (var n = 0; n < 10; n++)
            Encode(encoder, n, null);
        Encode(encoder, 10, new(ReferenceSlots.Spare, ReferenceSlots.Chain));
        Assert.True(encoder.Last.Intra);
    }

    [Fact]
    public void Encode_LostKeyframeHadAnotherSize_BecomesIntra()
    {
        using var encoder = new AomKeyframeEncoder(Size);
        using var decoder = new AomKeyframeDecoder(Size);
        var picture = Pictures.Scene(Size, 0);
        decoder.Decode(encoder.Encode(picture, new(45, CodedScale.Third, false))).Dispose();
        decoder.Decode(encoder.Encode(picture, new(45, CodedScale.Half, false, new(ReferenceSlots.All, ReferenceSlots.Chain)))).Dispose();
        // This one is lost: the receiver's chain slot still has the larger size.
        encoder.Encode(picture, new(45, CodedScale.Third, false, new(ReferenceSlots.All, ReferenceSlots.Chain)));
        var packet = encoder.Encode(picture, new(45, CodedScale.Third, false, new(ReferenceSlots.Anchor | ReferenceSlots.Spare, ReferenceSlots.Chain)));
        Assert.True(encoder.Last.Intra);
        using var shown = decoder.Decode(packet);
        Assert.Equal(CodedScale.Third.Of(Size), shown.Size);
    }

    [Theory]
    [InlineData(ReferenceSlots.None)]
    [InlineData(ReferenceSlots.All)]
    public void Encode_StoredNowhereOrEverywhere_IsRefused(ReferenceSlots store)
    {
        using var encoder = new AomKeyframeEncoder(Size);
        Assert.Throws<ArgumentException>(() => Encode(encoder, 0, new(ReferenceSlots.All, store)));
    }

    /// <summary>
    /// Losses, plans, sizes and qualities at random: what a decoder that missed keyframes shows is, whenever the sender plans around
    /// its losses, exactly what a decoder that missed none shows. libaom aborts the process where it is asked for what it cannot do.
    /// </summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    public void Encode_RandomLossesAndSizes_StaysExact(int seed)
    {
        var random = new Random(seed);
        using var encoder = new AomKeyframeEncoder(Size, new() { Speed = 6 });
        using AomKeyframeDecoder whole = new(Size), lossy = new(Size);
        var received = ReferenceSlots.All;
        var scale = CodedScale.Full;
        int recovered = 0, scaled = 0;
        for (var n = 0; n < 100; n++)
        {
            if (random.Next(5) == 0)
                scale = (CodedScale)random.Next(6);
            var plan = new ReferencePlan(received, random.Next(3) switch { 0 => ReferenceSlots.Chain | ReferenceSlots.Anchor, 1 => ReferenceSlots.Chain | ReferenceSlots.Spare, _ => ReferenceSlots.Chain });
            var settings = new KeyframeSettings(random.Next(30, 64), scale, random.Next(30) == 0, plan);
            var packet = encoder.Encode(Pictures.Scene(Size, n, seed), settings).ToArray();
            Assert.Equal(encoder.Last.Intra, Av1Unit.IsIntra(packet));
            using var truth = whole.Decode(packet);
            Assert.Equal(scale.Of(Size), truth.Size);

            var stored = encoder.Last.Intra ? ReferenceSlots.All : plan.Store;
            if (!encoder.Last.Intra && random.Next(4) == 0)
            {
                received &= ~stored;
                continue;
            }

            if (!encoder.Last.Intra)
            {
                recovered += received == ReferenceSlots.All ? 0 : 1;
                scaled += scale == CodedScale.Full ? 0 : 1;
            }

            received |= stored;
            using var shown = lossy.Decode(packet);
            Assert.True(Pictures.Same(truth, shown), $"seed {seed}, picture {n}: {settings}");
        }

        Assert.True(recovered > 1 && scaled > 10, $"{recovered} recoveries, {scaled} scaled");
    }

    private static void Both(AomKeyframeEncoder encoder, AomKeyframeDecoder whole, AomKeyframeDecoder lossy, int n, ReferencePlan? plan)
    {
        var packet = Encode(encoder, n, plan);
        using var truth = whole.Decode(packet);
        using var shown = lossy.Decode(packet);
        Assert.True(Pictures.Same(truth, shown), $"picture {n}");
    }

    private static byte[] Encode(AomKeyframeEncoder encoder, int n, ReferencePlan? plan) =>
        encoder.Encode(Pictures.Scene(Size, n), new(45, CodedScale.Full, false, plan)).ToArray();
}
