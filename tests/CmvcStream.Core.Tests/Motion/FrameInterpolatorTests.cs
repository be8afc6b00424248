using CmvcStream.Core.Media;
using CmvcStream.Core.Motion;
using Xunit;

namespace CmvcStream.Core.Tests.Motion;

public sealed class FrameInterpolatorTests
{
    private static readonly PixelSize s_size = new(480, 270);

    [Fact]
    public void Interpolate_EqualKeyframes_ReturnsThemExactly()
    {
        var a = TestPictures.Texture(s_size);
        var made = Make(a, TestPictures.Texture(s_size), 0.4f);

        Assert.True(TestPictures.Same(a.Y, made.Y));
        Assert.True(TestPictures.Same(a.U, made.U));
        Assert.True(TestPictures.Same(a.V, made.V));
    }

    [Fact]
    public void Moved_MovingTexture_BothKeyframesAreNearTheTruthAtThatTime()
    {
        const double dx = 14, dy = 6;
        VideoFrame a = TestPictures.Texture(s_size), b = TestPictures.Texture(s_size, dx, dy);
        var interpolator = new FrameInterpolator(s_size);
        VideoFrame mix = VideoFrame.Allocate(s_size), first = VideoFrame.Allocate(s_size), second = VideoFrame.Allocate(s_size);
        interpolator.Prepare(a, b);
        Assert.Throws<InvalidOperationException>(() => interpolator.Moved(first, second));
        interpolator.Interpolate(0.4f, mix);

        interpolator.Moved(first, second);

        var truth = TestPictures.Texture(s_size, 0.4 * dx, 0.4 * dy);
        Assert.InRange(TestPictures.Psnr(first, truth), 28, 100);
        Assert.InRange(TestPictures.Psnr(second, truth), 28, 100);
    }

    [Theory]
    [InlineData(480, 270, 14, 6)]
    [InlineData(480, 270, 46, -9)]
    [InlineData(479, 271, 12.5, -7.25)]
    [InlineData(240, 135, -11, 3.5)]
    [InlineData(1280, 720, 40, 17)]
    public void Interpolate_MovingTexture_IsNearTheTruth(int width, int height, double dx, double dy)
    {
        var size = new PixelSize(width, height);
        VideoFrame a = TestPictures.Texture(size), b = TestPictures.Texture(size, dx, dy);
        foreach (var t in (float[])[0.2f, 0.5f, 0.75f])
        {
            var made = Make(a, b, t);

            Assert.InRange(TestPictures.Psnr(made, TestPictures.Texture(size, t * dx, t * dy)), 30, 100);
        }
    }

    [Fact]
    public void Interpolate_ObjectBeforeBackground_BeatsBlendByFar()
    {
        VideoFrame a = Scene(0), b = Scene(24), truth = Scene(12);

        var made = Make(a, b, 0.5f);

        Assert.InRange(TestPictures.Psnr(made, truth), TestPictures.Psnr(a, truth) + 8, 100);

        static VideoFrame Scene(double shift) => TestPictures.Make(s_size, 5, (x, y) =>
            Math.Abs(x - 200 - shift) < 60 && Math.Abs(y - 130) < 60 ? (shift + 1000, 500) : (0, 0));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void Interpolate_AtKeyframe_ReturnsIt(float t)
    {
        VideoFrame a = TestPictures.Texture(s_size), b = TestPictures.Texture(s_size, 9, -4);

        var made = Make(a, b, t);

        Assert.True(TestPictures.Same(t == 0 ? a.Y : b.Y, made.Y));
    }

    [Theory]
    [InlineData(16, 16)]
    [InlineData(17, 19)]
    [InlineData(4096, 16)]
    [InlineData(64, 200)]
    public void Interpolate_UnusualSize_Works(int width, int height)
    {
        var size = new PixelSize(width, height);
        VideoFrame a = TestPictures.Texture(size), b = TestPictures.Texture(size, 1, 1);

        Assert.InRange(TestPictures.Psnr(Make(a, b, 0.5f), TestPictures.Texture(size, 0.5, 0.5)), 22, 100);
    }

    [Fact]
    public void Prepare_Cut_IsDetectedAndNothingIsMixed()
    {
        VideoFrame a = TestPictures.Texture(s_size, scene: 1), b = TestPictures.Texture(s_size, scene: 2);
        var interpolator = Prepared(a, b);
        var made = VideoFrame.Allocate(s_size);

        Assert.True(interpolator.IsCut, $"{interpolator.Unexplained} unexplained, reliability {interpolator.Reliability}");
        Assert.Equal(0, interpolator.Reliability);
        interpolator.Interpolate(0.45f, made);
        Assert.True(TestPictures.Same(a.Y, made.Y));
        interpolator.Interpolate(0.55f, made);
        Assert.True(TestPictures.Same(b.V, made.V));
    }

    [Fact]
    public void Reliability_MatchedAndHalfReplacedPicture_FallsAccordingly()
    {
        var a = TestPictures.Texture(s_size);
        var moved = Prepared(a, TestPictures.Texture(s_size, 6, 2));
        var half = Prepared(a, TestPictures.Make(s_size, 0, (x, _) => x < 240 ? (0, 0) : (9000, 3000)));

        Assert.InRange(moved.Reliability, 0.75f, 1);
        Assert.InRange(half.Reliability, 0.3f, 0.7f);
        Assert.False(moved.IsCut);
        Assert.False(half.IsCut);
    }

    [Fact]
    public void Forward_MovedPicture_TellsTheMotion()
    {
        var interpolator = Prepared(TestPictures.Texture(s_size), TestPictures.Texture(s_size, 20.5, -8));
        var dx = interpolator.Forward.Dx.ToArray().Order().ElementAt(interpolator.Forward.Dx.Length / 2);
        var dy = interpolator.Forward.Dy.ToArray().Order().ElementAt(interpolator.Forward.Dy.Length / 2);

        Assert.Equal(20.5, dx, 0.25);
        Assert.Equal(-8, dy, 0.25);
    }

    [Fact]
    public void Interpolate_WithCorrection_MovesTheContent()
    {
        var a = TestPictures.Texture(s_size);
        var interpolator = Prepared(a, TestPictures.Texture(s_size));
        var correction = new MotionCorrection();
        correction.Dx.Fill(3 * MotionCorrection.StepsPerPixel);
        var made = VideoFrame.Allocate(s_size);

        interpolator.Interpolate(0.5f, correction, made);

        Assert.InRange(TestPictures.Psnr(made, TestPictures.Texture(s_size, 3, 0)), 33, 100);
    }

    [Fact]
    public void Interpolate_WithTimeWarp_GoesFurtherAlongTheMotion()
    {
        var interpolator = Prepared(TestPictures.Texture(s_size), TestPictures.Texture(s_size, 20, 0));
        var made = VideoFrame.Allocate(s_size);

        interpolator.Interpolate(0.5f, new MotionCorrection { TimeWarp = MotionCorrection.StepsPerGap / 4 }, made);

        Assert.InRange(TestPictures.Psnr(made, TestPictures.Texture(s_size, 15, 0)), 30, 100);
    }

    [Fact]
    public void Extrapolate_SteadyMotion_GoesOnAndComesToRest()
    {
        var b = TestPictures.Texture(s_size, 12, 0);
        var interpolator = Prepared(TestPictures.Texture(s_size), b);
        VideoFrame soon = VideoFrame.Allocate(s_size), late = VideoFrame.Allocate(s_size), later = VideoFrame.Allocate(s_size);

        interpolator.Extrapolate(1.2f, soon);
        interpolator.Extrapolate(20, late);
        interpolator.Extrapolate(40, later);

        var truth = TestPictures.Texture(s_size, 14, 0);
        Assert.InRange(TestPictures.Psnr(soon, truth), TestPictures.Psnr(b, truth) + 3, 100);
        Assert.True(TestPictures.Same(late.Y, later.Y));
    }

    [Fact]
    public void Extrapolate_AtTheKeyframe_ReturnsIt()
    {
        var b = TestPictures.Texture(s_size, 12, 0);
        var made = VideoFrame.Allocate(s_size);

        Prepared(TestPictures.Texture(s_size), b).Extrapolate(1, made);

        Assert.True(TestPictures.Same(b.Y, made.Y));
    }

    [Fact]
    public void Interpolate_Repeated_AllocatesNothing()
    {
        VideoFrame a = TestPictures.Texture(s_size), b = TestPictures.Texture(s_size, 5, 3), made = VideoFrame.Allocate(s_size);
        var interpolator = Prepared(a, b);
        interpolator.Interpolate(0.3f, made);

        var before = GC.GetAllocatedBytesForCurrentThread();
        interpolator.Prepare(a, b);
        interpolator.Interpolate(0.3f, made);
        interpolator.Extrapolate(1.3f, made);

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    [Fact]
    public void Prepare_KeyframesChangedAfterwards_KeepsItsCopies()
    {
        VideoFrame a = TestPictures.Texture(s_size), b = TestPictures.Texture(s_size, 5, 3), made = VideoFrame.Allocate(s_size);
        var interpolator = Prepared(a, b);
        a.Fill();
        b.Fill();

        interpolator.Interpolate(0.5f, made);

        Assert.InRange(TestPictures.Psnr(made, TestPictures.Texture(s_size, 2.5, 1.5)), 30, 100);
    }

    [Fact]
    public void Prepare_OtherSize_SaysSo()
    {
        var interpolator = new FrameInterpolator(s_size);
        var other = VideoFrame.Allocate(new(240, 136));

        var error = Assert.Throws<ArgumentException>(() => interpolator.Prepare(other, other));

        Assert.Contains("240x136", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Interpolate_Unprepared_SaysSo() =>
        Assert.Throws<InvalidOperationException>(() => new FrameInterpolator(s_size).Interpolate(0.5f, VideoFrame.Allocate(s_size)));

    [Theory]
    [InlineData(-0.1f)]
    [InlineData(1.1f)]
    [InlineData(float.NaN)]
    public void Interpolate_TimeOutside_IsRefused(float t) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new FrameInterpolator(s_size).Interpolate(t, VideoFrame.Allocate(s_size)));

    private static FrameInterpolator Prepared(VideoFrame a, VideoFrame b)
    {
        var interpolator = new FrameInterpolator(a.Size);
        interpolator.Prepare(a, b);
        return interpolator;
    }

    private static VideoFrame Make(VideoFrame a, VideoFrame b, float t)
    {
        var made = VideoFrame.Allocate(a.Size);
        Prepared(a, b).Interpolate(t, made);
        return made;
    }
}
