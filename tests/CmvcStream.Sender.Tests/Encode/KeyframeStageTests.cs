using CmvcStream.Codecs.Av1;
using CmvcStream.Core.Codec;
using CmvcStream.Core.Control;
using CmvcStream.Core.Media;
using CmvcStream.Protos;
using CmvcStream.Sender.Encode;
using Xunit;

namespace CmvcStream.Sender.Tests.Encode;

public class KeyframeStageTests
{
    private static readonly PixelSize Size = new(320, 180);

    [Theory]
    [InlineData(500, true)]
    [InlineData(2000, false)]
    [InlineData(8000, false)]
    public void Encode_StillPictureTurnsIntoAnother_HoldsTheWireNoLongerThanAllowed(int bitsPerSecond, bool intra)
    {
        var rate = new KeyframeRateControl(new(bitsPerSecond), WireOverhead.GrpcClear, FrameRate.PerSecond(15), Size);
        using var stage = new KeyframeStage(Size, rate);
        for (var k = 0; k < 20; k++)
            stage.Encode(Frame(scene: 0, tick: k * 15), [], KeyframeReason.Interval, rate.Nominal);

        var other = stage.Encode(Frame(scene: 1, tick: 300), [], KeyframeReason.Interval, rate.Nominal);
        var next = stage.Encode(Frame(scene: 1, tick: 315), [], KeyframeReason.Interval, rate.Nominal);

        // The slowest link cannot carry the change even at the worst quality.
        Assert.Equal(intra, other.Keyframe.HasBase);
        Assert.InRange(other.Keyframe.Data.Length, 1, rate.Most);
        Assert.InRange(next.Keyframe.Data.Length, 1, rate.Most);
    }

    [Fact]
    public void Encode_SceneCut_IsIntra()
    {
        var rate = new KeyframeRateControl(new(8000), WireOverhead.GrpcClear, FrameRate.PerSecond(15), Size);
        using var stage = new KeyframeStage(Size, rate);
        stage.Encode(Frame(scene: 0, tick: 0), [], KeyframeReason.SceneCut, rate.Nominal);
        var second = stage.Encode(Frame(scene: 0, tick: 10), [], KeyframeReason.Interval, rate.Nominal);

        var cut = stage.Encode(Frame(scene: 1, tick: 20), [], KeyframeReason.SceneCut, rate.Nominal);

        Assert.False(second.Keyframe.HasBase);
        Assert.True(cut.Keyframe is { HasBase: true, Base: 0 });
    }

    [Theory]
    [InlineData(2000)]
    [InlineData(8000)]
    public void Encode_AfterACut_ClimbsAtOnceToWhatTheLinkCanPay(int bitsPerSecond)
    {
        var rate = new KeyframeRateControl(new(bitsPerSecond), WireOverhead.GrpcClear, FrameRate.PerSecond(15), Size);
        using var stage = new KeyframeStage(Size, rate);
        for (var cut = 0; cut < 3; cut++)
        {
            var first = stage.Encode(Frame(cut % 2, cut * 100), [], KeyframeReason.SceneCut, 2 * rate.Nominal);
            stage.Encode(Frame(cut % 2, cut * 100 + 15), [], KeyframeReason.Interval, rate.Nominal);
            var third = stage.Encode(Frame(cut % 2, cut * 100 + 30), [], KeyframeReason.Interval, rate.Nominal);

            Assert.InRange(first.Keyframe.Data.Length, 1, 1.4 * bitsPerSecond / 8);
            Assert.Equal(CodedScale.Full, stage.LastSpend.Scale);
            Assert.InRange(third.Keyframe.Data.Length, 1, 1.4 * rate.Nominal);
        }
    }

    [Fact]
    public void Encode_AnyKeyframe_HasTheCheckOfWhatADecoderMakesOfIt()
    {
        var rate = new KeyframeRateControl(new(8000), WireOverhead.GrpcClear, FrameRate.PerSecond(15), Size);
        using var stage = new KeyframeStage(Size, rate);
        using var decoder = new AomKeyframeDecoder(Size);
        for (var tick = 0; tick < 100; tick += 10)
        {
            var keyframe = stage.Encode(Frame(scene: tick / 50, tick), [], KeyframeReason.Interval, rate.Nominal).Keyframe;

            using var decoded = decoder.Decode(keyframe.Data.Span);
            Assert.True(keyframe.HasCheck);
            Assert.Equal(DecodedPicture.Of(decoded).Check(keyframe.Index, (uint)tick), keyframe.Check);
        }
    }

    [Fact]
    public void Lose_NextKeyframe_IsPredictedFromTheAcknowledgedOne()
    {
        var rate = new KeyframeRateControl(new(8000), WireOverhead.GrpcClear, FrameRate.PerSecond(15), Size);
        using var stage = new KeyframeStage(Size, rate);
        using AomKeyframeDecoder whole = new(Size), lossy = new(Size);
        for (var tick = 0; tick < 100; tick += 10)
            Decode(Encode(stage, rate, tick), arrives: tick < 60);
        stage.Acknowledge(5);
        stage.Acknowledge(4);
        stage.Acknowledge(11);  // never coded
        stage.Lose();
        Assert.Equal(1, stage.Drift(Frame(0, 95).Frame, Frame(0, 100).Frame));

        var mended = stage.Encode(Frame(0, 100, moved: 9), [Frame(0, 91, moved: 3), Frame(0, 94, moved: 5), Frame(0, 97, moved: 7)], KeyframeReason.Request, rate.Nominal);
        Decode(mended.Keyframe, arrives: true);
        Assert.Equal((true, 5u), (mended.Keyframe.HasBase, mended.Keyframe.Base));
        Assert.Null(mended.Motion);
        Assert.InRange(stage.Drift(Frame(0, 105, moved: 9).Frame, Frame(0, 110, moved: 9).Frame), 0, 0.1);

        for (var tick = 110; tick < 150; tick += 10)
        {
            var next = Encode(stage, rate, tick);
            Assert.False(next.HasBase);
            Decode(next, arrives: true);
        }

        void Decode(Keyframe keyframe, bool arrives)
        {
            using var truth = whole.Decode(keyframe.Data.Span);
            if (!arrives)
                return;
            using var shown = lossy.Decode(keyframe.Data.Span);
            Assert.Equal(DecodedPicture.Of(truth), DecodedPicture.Of(shown));
            Assert.Equal(keyframe.Check, DecodedPicture.Of(shown).Check(keyframe.Index, keyframe.Tick));
        }
    }

    [Fact]
    public void Lose_NothingAcknowledged_NextKeyframeIsIntra()
    {
        var rate = new KeyframeRateControl(new(8000), WireOverhead.GrpcClear, FrameRate.PerSecond(15), Size);
        using var stage = new KeyframeStage(Size, rate);
        Encode(stage, rate, 0);
        Encode(stage, rate, 10);
        stage.Lose();

        Assert.True(Encode(stage, rate, 20) is { HasBase: true, Base: 0, Index: 3 });
        Assert.False(Encode(stage, rate, 30).HasBase);
    }

    [Fact]
    public void Lose_NewestIsAcknowledged_NextKeyframeIsAsEver()
    {
        var rate = new KeyframeRateControl(new(8000), WireOverhead.GrpcClear, FrameRate.PerSecond(15), Size);
        using var stage = new KeyframeStage(Size, rate);
        Encode(stage, rate, 0);
        Encode(stage, rate, 10);
        stage.Acknowledge(2);
        stage.Lose();

        Assert.False(Encode(stage, rate, 20).HasBase);
    }

    [Fact]
    public void Restart_NextKeyframe_IsIntraWhateverWasAcknowledged()
    {
        var rate = new KeyframeRateControl(new(8000), WireOverhead.GrpcClear, FrameRate.PerSecond(15), Size);
        using var stage = new KeyframeStage(Size, rate);
        for (var tick = 0; tick < 40; tick += 10)
            Encode(stage, rate, tick);
        stage.Acknowledge(4);
        stage.Restart();
        stage.Lose();   // less than a restart

        Assert.True(Encode(stage, rate, 40) is { HasBase: true, Base: 0, Index: 5 });
        // What the receiver had before is gone.
        stage.Lose();
        Assert.True(Encode(stage, rate, 50) is { HasBase: true, Base: 0 });
        stage.Acknowledge(6);
        Encode(stage, rate, 60);
        stage.Lose();
        Assert.True(Encode(stage, rate, 70) is { HasBase: true, Base: 6 });
    }

    /// <summary>As after an outage: the picture has changed much, and twenty seconds of keyframes went nowhere.</summary>
    [Theory]
    [InlineData(8000)]
    [InlineData(30000)]
    public void Lose_LongOutage_StaysWithinWhatTheLinkCarries(int bitsPerSecond)
    {
        var rate = new KeyframeRateControl(new(bitsPerSecond), WireOverhead.GrpcClear, FrameRate.PerSecond(15), Size);
        using var stage = new KeyframeStage(Size, rate);
        using var lossy = new AomKeyframeDecoder(Size);
        for (var tick = 0; tick < 100; tick += 10)
            lossy.Decode(Encode(stage, rate, tick).Data.Span).Dispose();
        stage.Acknowledge(9);
        for (var tick = 100; tick < 400; tick += 5)
            Encode(stage, rate, tick, moved: tick - 100);
        stage.Lose();

        var mended = Encode(stage, rate, 400, moved: 300);

        Assert.Equal(9u, mended.Base);
        Assert.InRange(mended.Data.Length, 1, rate.Most);
        using var shown = lossy.Decode(mended.Data.Span);
        Assert.Equal(mended.Check, DecodedPicture.Of(shown).Check(mended.Index, mended.Tick));
    }

    [Fact]
    public async Task Acknowledge_WhileKeyframesAreCoded_KeepsTheNewest()
    {
        var rate = new KeyframeRateControl(new(8000), WireOverhead.GrpcClear, FrameRate.PerSecond(15), Size);
        using var stage = new KeyframeStage(Size, rate);
        var listening = Task.Run(() =>
        {
            while (stage.Coded < 20)
                stage.Acknowledge((uint)Math.Max(stage.Coded - 2, 0));
        });
        for (var tick = 0; tick < 200; tick += 10)
            Encode(stage, rate, tick);
        await listening;
        stage.Lose();

        Assert.InRange(Encode(stage, rate, 200).Base, 16u, 18u);
    }

    private static Keyframe Encode(KeyframeStage stage, KeyframeRateControl rate, int tick, double moved = 0) =>
        stage.Encode(Frame(scene: 0, tick, moved), [], KeyframeReason.Interval, rate.Nominal).Keyframe;

    /// <summary>Soft stripes and blobs; another scene has others.</summary>
    private static CapturedFrame Frame(int scene, long tick, double moved = 0)
    {
        var frame = VideoFrame.Allocate(Size);
        frame.Fill();
        for (var y = 0; y < Size.Height; y++)
        {
            for (var x = 0; x < Size.Width; x++)
            {
                var value = scene == 0
                    ? Math.Sin((x + moved) * 0.11) * Math.Cos(y * 0.07) + 0.5 * Math.Sin((x + moved) * 0.31 + y * 0.17)
                    : Math.Sin((x + y) * 0.13) * Math.Cos(y * 0.19) + 0.5 * Math.Cos(x * 0.23 - y * 0.29);
                frame.Y.Row(y)[x] = (byte)(128 + 60 * value);
            }
        }

        return new(frame, tick);
    }
}
