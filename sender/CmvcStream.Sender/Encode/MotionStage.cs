using System.Buffers;
using CmvcStream.Core.Media;
using CmvcStream.Core.Motion;
using Google.Protobuf;

namespace CmvcStream.Sender.Encode;

/// <summary>What is sent of a gap's motion.</summary>
/// <param name="Data">The payload; empty: none pays.</param>
/// <param name="Times">At so many times of the gap the motion is described.</param>
internal readonly record struct CodedMotion(ByteString Data, int Times)
{
    public static readonly CodedMotion None = new(ByteString.Empty, 0);
}

/// <summary>
/// Decides for each gap at how many times its motion is described, none included: where that improves the pictures between more, byte for
/// byte, than a better keyframe would. Corrections are found by squared error and judged by structure (1 - SSIM) over the whole gap, which
/// follows what a viewer sees: judged by squared error alone, motion that blurs or bends what stood well is sent too, and LPIPS is worse
/// than without any.
/// </summary>
internal sealed class MotionStage(FrameInterpolator interpolator) : IDisposable
{
    /// <summary>Times described at most: the middle, then the quarters. Eighths gain little up to 8 kbit/s, and take twice the time to find.</summary>
    private const int MostTimes = 3;

    /// <summary>Frames of a gap that a description is judged by, at most.</summary>
    private const int Judged = 6;

    /// <summary>At these rates a keyframe's squared error falls about so with its bytes.</summary>
    private const double KeyframeExponent = 0.8;

    /// <summary>
    /// The same for structure, times what the keyframe's bytes bring to the keyframes that are predicted from it (found by simulated
    /// streams of training clips).
    /// </summary>
    private const double StructuralWorth = 2;

    /// <summary>
    /// Where a gap cannot be interpolated well, LPIPS of a stream still falls about so with its bytes (two such clips, 8 to 16 kbit/s: 0.25 and
    /// 0.46): all bytes together are worth this part of the gap's error, however small the keyframe's own is.
    /// </summary>
    private const double GapExponent = 0.4;

    /// <summary>A part's own header in a message.</summary>
    private const int PartBytes = 5;

    private readonly MotionCorrectionEstimator _estimator = new(interpolator.Size);
    private readonly MotionCorrection[] _times = [.. Enumerable.Range(0, MostTimes).Select(_ => new MotionCorrection())];
    private readonly MotionCorrection _sample = new();
    private readonly ArrayBufferWriter<byte> _bytes = new();
    private readonly VideoFrame _made = VideoFrame.Allocate(interpolator.Size);

    /// <summary>The motion of the gap that the interpolator was prepared for.</summary>
    /// <param name="from">Tick of the keyframe before.</param>
    /// <param name="to">Tick of the keyframe after.</param>
    /// <param name="between">The real frames between, in order.</param>
    /// <param name="keyframeBytes">What the keyframe cost.</param>
    /// <param name="squaredError">The keyframe's sum of squared luma errors.</param>
    /// <param name="structuralError">The keyframe's 1 - SSIM.</param>
    /// <param name="most">Bytes that motion may take.</param>
    public CodedMotion Code(long from, long to, IReadOnlyList<CapturedFrame> between, int keyframeBytes, double squaredError, double structuralError, double most)
    {
        var best = CodedMotion.None;
        if (interpolator.IsCut || between is not [var first, ..] || first.Tick <= from || between[^1].Tick >= to)
            return best;
        // What a byte must save in each picture of the gap, in parts of the keyframe's error: what it would save there if the keyframe had it.
        var price = (to - from) / (Math.Max(keyframeBytes, 1) * (to - from - 1.0));
        double? without = null;
        var saved = 0.0;
        for (var times = 1; times <= Math.Min(MostTimes, between.Count); times = 2 * times + 1)
        {
            // Those that are there come to lie between the new ones; one of n weighs 1 / (n + 1) on average over the gap.
            for (var k = times / 2 - 1; k >= 0; k--)
                _times[k].CopyTo(_times[2 * k + 1]);
            for (var k = 0; k < times; k += 2)
                Estimate(_times[k], from, to, between, (k + 1.0) / (times + 1), KeyframeExponent * squaredError * price * (times + 1));
            _bytes.ResetWrittenCount();
            var bytes = MotionCodec.Encode(_times.AsSpan(0, times), _bytes);
            if (bytes == 0 || bytes > most)
                break;
            without ??= StructuralError(from, to, between, 0);
            var worth = Math.Max(StructuralWorth * structuralError, GapExponent * without.Value) * price;
            var saves = without.Value - StructuralError(from, to, between, times) - (bytes + PartBytes) * worth;
            if (saves <= saved)
                break;
            saved = saves;
            best = new(ByteString.CopyFrom(_bytes.WrittenSpan), times);
        }

        return best;
    }

    public void Dispose() => _made.Dispose();

    private void Estimate(MotionCorrection result, long from, long to, IReadOnlyList<CapturedFrame> between, double at, double errorPerByte)
    {
        var tick = from + (to - from) * at;
        var real = between.MinBy(frame => Math.Abs(frame.Tick - tick))!;
        _estimator.Estimate(interpolator, real.Frame, Place(real, from, to), result, errorPerByte);
    }

    /// <summary>1 - SSIM, on average over the gap, of what the receiver makes with the first corrections.</summary>
    private double StructuralError(long from, long to, IReadOnlyList<CapturedFrame> between, int times)
    {
        var (sum, judged) = (0.0, 0);
        var step = (between.Count + Judged - 1) / Judged;
        for (var n = step / 2; n < between.Count; n += step, judged++)
        {
            var t = Place(between[n], from, to);
            MotionCorrection.Sample(_times.AsSpan(0, times), t, _sample);
            interpolator.InterpolateLuma(t, times > 0 ? _sample : null, _made);
            sum += FrameDistance.Structural(between[n].Frame, _made);
        }

        return sum / judged;
    }

    private static float Place(CapturedFrame frame, long from, long to) => (float)(frame.Tick - from) / (to - from);
}
