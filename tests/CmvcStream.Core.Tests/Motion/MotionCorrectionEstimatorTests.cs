using CmvcStream.Core.Media;
using CmvcStream.Core.Motion;
using Xunit;

namespace CmvcStream.Core.Tests.Motion;

public sealed class MotionCorrectionEstimatorTests
{
    private static readonly PixelSize s_size = new(480, 270);

    [Fact]
    public void Estimate_MotionThatLags_FindsTheTimeWarp()
    {
        var correction = new MotionCorrection();

        // In the middle of the time it has gone 7 of 20 pixels: 0.15 of the gap late.
        var gain = Estimate(20, TestPictures.Texture(s_size, 7, 0), correction);

        Assert.InRange(correction.TimeWarp, -12, -8);
        Assert.True(gain.TimeWarpGain > 0.7 * gain.Without, $"{gain}");
    }

    [Fact]
    public void Estimate_EvenMotion_NeedsNone()
    {
        var correction = new MotionCorrection();

        var gain = Estimate(12, TestPictures.Texture(s_size, 6, 0), correction);

        Assert.InRange(Math.Abs(correction.TimeWarp), 0, 1);
        Assert.False(correction.HasGrid);
        Assert.True(gain.With <= gain.Without);
    }

    [Fact]
    public void Estimate_LocalExcursion_FindsTheGrid()
    {
        var correction = new MotionCorrection();
        // Between two equal keyframes the left half goes down by up to three pixels.
        var real = TestPictures.Make(s_size, 0, (x, _) => (0, 3 * Math.Clamp((300 - x) / 150.0, 0, 1)));

        var gain = Estimate(0, real, correction);

        Assert.True(gain.Gain > 0.7 * gain.Without, $"{gain}");
        Assert.InRange(correction.Dy[17], 8, 14);
        Assert.Equal(0, correction.Dy[23]);
    }

    [Fact]
    public void Estimate_BytesWorthMoreThanTheGain_StaysZero()
    {
        var correction = new MotionCorrection();

        var gain = Estimate(20, TestPictures.Texture(s_size, 7, 0), correction, 1e12);

        Assert.True(correction.IsZero);
        Assert.Equal(gain.Without, gain.With);
    }

    [Fact]
    public void Estimate_Result_IsWhatTheReceiverGets()
    {
        var correction = new MotionCorrection();
        var real = TestPictures.Texture(s_size, 7, 1);
        var interpolator = new FrameInterpolator(s_size);
        interpolator.Prepare(TestPictures.Texture(s_size), TestPictures.Texture(s_size, 20, 0));

        var gain = new MotionCorrectionEstimator(s_size).Estimate(interpolator, real, 0.5f, correction);

        var made = VideoFrame.Allocate(s_size);
        interpolator.Interpolate(0.5f, correction, made);
        Assert.Equal(gain.With, FrameDistance.LumaSquaredError(made, real));
    }

    [Fact]
    public void Estimate_UnrelatedPicture_NeverMakesItWorse()
    {
        var gain = Estimate(20, TestPictures.Texture(s_size, scene: 9), new());

        Assert.True(gain.With <= gain.WithTimeWarp && gain.WithTimeWarp <= gain.Without, $"{gain}");
    }

    [Fact]
    public void Estimate_OtherSize_SaysSo()
    {
        var estimator = new MotionCorrectionEstimator(s_size);

        Assert.Throws<ArgumentException>(() =>
            estimator.Estimate(new(s_size), VideoFrame.Allocate(new(240, 136)), 0.5f, new()));
    }

    private static CorrectionGain Estimate(double shift, VideoFrame real, MotionCorrection correction, double errorPerByte = 0)
    {
        var interpolator = new FrameInterpolator(s_size);
        interpolator.Prepare(TestPictures.Texture(s_size), TestPictures.Texture(s_size, shift, 0));
        return new MotionCorrectionEstimator(s_size).Estimate(interpolator, real, 0.5f, correction, errorPerByte);
    }
}
