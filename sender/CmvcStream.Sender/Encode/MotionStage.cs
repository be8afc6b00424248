using System.Buffers;
using CmvcStream.Core.Media;
using CmvcStream.Core.Motion;
using Google.Protobuf;

namespace CmvcStream.Sender.Encode;

/// <summary>
/// Decides for each gap whether motion bytes are worth sending: where they improve the pictures between more, byte for byte, than a better
/// keyframe would. The correction is found by squared error and judged by structure (1 - SSIM), which follows what a viewer sees: judged by
/// squared error alone, motion that blurs or bends what stood well is sent too, and LPIPS is worse than without any.
/// </summary>
internal sealed class MotionStage(FrameInterpolator interpolator) : IDisposable
{
    /// <summary>At these rates a keyframe's squared error falls about so with its bytes.</summary>
    private const double KeyframeExponent = 0.8;

    /// <summary>
    /// The same for structure, times what the keyframe's bytes bring to the keyframes that are predicted from it (found by simulated
    /// streams of training clips).
    /// </summary>
    private const double StructuralWorth = 2;

    /// <summary>What a correction of the middle brings on average over the gap, where its weight falls linearly to the keyframes.</summary>
    private const double MeanOfGap = 0.5;

    /// <summary>A part's own header in a message.</summary>
    private const int PartBytes = 5;

    private readonly MotionCorrectionEstimator _estimator = new(interpolator.Size);
    private readonly MotionCorrection[] _one = [new()];
    private readonly ArrayBufferWriter<byte> _bytes = new();
    private readonly VideoFrame _made = VideoFrame.Allocate(interpolator.Size);

    /// <summary>The motion payload of the gap that the interpolator was prepared for; empty: none pays.</summary>
    /// <param name="from">Tick of the keyframe before.</param>
    /// <param name="to">Tick of the keyframe after.</param>
    /// <param name="between">The real frames between.</param>
    /// <param name="keyframeBytes">What the keyframe cost.</param>
    /// <param name="squaredError">The keyframe's sum of squared luma errors.</param>
    /// <param name="structuralError">The keyframe's 1 - SSIM.</param>
    public ByteString Code(long from, long to, IReadOnlyList<CapturedFrame> between, int keyframeBytes, double squaredError, double structuralError)
    {
        if (interpolator.IsCut || Middle(from, to, between) is not { } middle)
            return ByteString.Empty;
        var t = (float)(middle.Tick - from) / (to - from);
        // What a byte must save in the middle's picture, in parts of the keyframe's error: what it would save in all of the gap's
        // pictures if the keyframe had it.
        var price = (to - from) / (Math.Max(keyframeBytes, 1) * MeanOfGap * (to - from - 1));
        var gain = _estimator.Estimate(interpolator, middle.Frame, t, _one[0], KeyframeExponent * squaredError * price).Gain;
        _bytes.ResetWrittenCount();
        if (gain <= 0 || MotionCodec.Encode(_one, _bytes) == 0)
            return ByteString.Empty;
        var structuralGain = StructuralError(middle.Frame, t, null) - StructuralError(middle.Frame, t, _one[0]);
        return structuralGain > (_bytes.WrittenCount + PartBytes) * StructuralWorth * structuralError * price
            ? ByteString.CopyFrom(_bytes.WrittenSpan)
            : ByteString.Empty;
    }

    public void Dispose() => _made.Dispose();

    private double StructuralError(VideoFrame real, float t, MotionCorrection? correction)
    {
        interpolator.Interpolate(t, correction, _made);
        return FrameDistance.Structural(real, _made);
    }

    /// <summary>The frame nearest to the middle, where a single correction weighs most.</summary>
    private static CapturedFrame? Middle(long from, long to, IReadOnlyList<CapturedFrame> between)
    {
        CapturedFrame? best = null;
        foreach (var frame in between)
        {
            if (frame.Tick > from && frame.Tick < to && (best is null || Math.Abs(2 * frame.Tick - from - to) < Math.Abs(2 * best.Tick - from - to)))
                best = frame;
        }

        return best;
    }
}
