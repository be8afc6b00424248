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

    /// <summary>Soft stripes and blobs; another scene has others.</summary>
    private static CapturedFrame Frame(int scene, long tick)
    {
        var frame = VideoFrame.Allocate(Size);
        frame.Fill();
        for (var y = 0; y < Size.Height; y++)
        {
            for (var x = 0; x < Size.Width; x++)
            {
                var value = scene == 0
                    ? Math.Sin(x * 0.11) * Math.Cos(y * 0.07) + 0.5 * Math.Sin(x * 0.31 + y * 0.17)
                    : Math.Sin((x + y) * 0.13) * Math.Cos(y * 0.19) + 0.5 * Math.Cos(x * 0.23 - y * 0.29);
                frame.Y.Row(y)[x] = (byte)(128 + 60 * value);
            }
        }

        return new(frame, tick);
    }
}
