using CmvcStream.Core.Control;
using CmvcStream.Core.Media;
using CmvcStream.Core.Motion;
using CmvcStream.Protos;
using CmvcStream.Sender.Capture.Synthetic;
using CmvcStream.Sender.Encode;
using Xunit;

namespace CmvcStream.Sender.Tests.Encode;

/// <summary>A texture that gathers speed over a gap of 12 ticks: even motion is wrong everywhere between.</summary>
public sealed class MotionStageTests : IDisposable
{
    private const int Gap = 12;
    private static readonly PixelSize Size = new(320, 180);
    private readonly FrameInterpolator _interpolator = new(Size);
    private readonly MotionStage _stage;

    public MotionStageTests()
    {
        _stage = new(_interpolator);
        _interpolator.Prepare(Frame(0).Frame, Frame(Gap).Frame);
    }

    public void Dispose() => _stage.Dispose();

    [Fact]
    public void Code_BytesAreCheap_DescribesTheQuarters()
    {
        var motion = Code(keyframeBytes: 100_000);

        Assert.Equal(3, motion.Times);
        Assert.InRange(Error(motion), 0, 0.5 * Error(CodedMotion.None));
        Assert.InRange(Error(motion), 0, 0.95 * Error(Code(keyframeBytes: 100_000, most: motion.Data.Length - 1)));
    }

    [Fact]
    public void Code_LittleMayBeTaken_DescribesLess()
    {
        var all = Code(keyframeBytes: 100_000).Data.Length;
        for (var most = all; most >= 0; most--)
        {
            var motion = Code(keyframeBytes: 100_000, most);
            Assert.InRange(motion.Data.Length, 0, most);
            Assert.Equal(motion.Times > 0, motion.Data.Length > 0);
        }
    }

    [Fact]
    public void Code_KeyframesGainMoreFromTheBytes_SendsNone() => Assert.Equal(CodedMotion.None, Code(keyframeBytes: 1));

    [Fact]
    public void Code_EvenMotion_SendsNone()
    {
        CapturedFrame[] even = [.. Enumerable.Range(1, Gap - 1).Select(tick => Frame(tick, even: true))];

        Assert.Equal(CodedMotion.None, Code(keyframeBytes: 500, between: even));
    }

    [Fact]
    public void Encode_FasterLink_DescribesMore()
    {
        var scene = Scenes.Find("street")(Size);
        CapturedFrame Render(long tick)
        {
            var frame = VideoFrame.Allocate(Size);
            frame.Fill();
            scene.Render(frame, MediaTime.FromTicks(tick, FrameRate.PerSecond(15)));
            return new(frame, tick);
        }

        long Described(int bitsPerSecond)
        {
            var rate = new KeyframeRateControl(new(bitsPerSecond), WireOverhead.GrpcClear, FrameRate.PerSecond(15), Size);
            using var stage = new KeyframeStage(Size, rate);
            stage.Encode(Render(0), [], KeyframeReason.SceneCut, rate.Nominal);
            var gap = (int)rate.TargetInterval;
            for (var tick = gap; tick < 75; tick += gap)
            {
                CapturedFrame[] between = [.. Enumerable.Range(tick - gap + 1, gap - 1).Select(t => Render(t))];
                var motion = stage.Encode(Render(tick), between, KeyframeReason.Interval, rate.Nominal).Motion;
                Assert.InRange(motion?.Data.Length ?? 0, 0, rate.MostMotion);
            }

            return stage.Described;
        }

        var slow = Described(2500);
        Assert.InRange(Described(30_000), slow + 5, 33);
    }

    private CodedMotion Code(int keyframeBytes, double most = double.PositiveInfinity, CapturedFrame[]? between = null) =>
        _stage.Code(0, Gap, between ?? [.. Enumerable.Range(1, Gap - 1).Select(tick => Frame(tick))], keyframeBytes, squaredError: 1e6, structuralError: 0.05, most);

    /// <summary>Mean 1 - SSIM of what a receiver makes of the gap.</summary>
    private double Error(CodedMotion motion)
    {
        MotionCorrection[] sent = [new(), new(), new()];
        Assert.True(MotionCodec.TryDecode(motion.Data.Span, sent, out var count, out var error), error);
        Assert.Equal(motion.Times, count);
        using var made = VideoFrame.Allocate(Size);
        var sample = new MotionCorrection();
        return Enumerable.Range(1, Gap - 1).Average(tick =>
        {
            MotionCorrection.Sample(sent.AsSpan(0, count), (float)tick / Gap, sample);
            _interpolator.Interpolate((float)tick / Gap, sample, made);
            return FrameDistance.Structural(Frame(tick).Frame, made);
        });
    }

    private static CapturedFrame Frame(int tick, bool even = false)
    {
        double t = (double)(tick % Gap) / Gap, moved = 14 * (tick / Gap + (even ? t : t * t * t));
        var frame = VideoFrame.Allocate(Size);
        frame.Fill();
        for (var y = 0; y < Size.Height; y++)
        {
            for (var x = 0; x < Size.Width; x++)
                frame.Y.Row(y)[x] = (byte)(128 + 45 * Math.Sin((x - moved) * 0.19) * Math.Cos(y * 0.17) + 45 * Math.Sin((x - moved) * 0.071 + y * 0.11));
        }

        return new(frame, tick);
    }
}
