using System.Buffers;
using CmvcStream.Core.Media;
using CmvcStream.Core.Motion;
using Google.Protobuf;

namespace CmvcStream.Sender.Encode;

/// <summary>
/// Decides for each gap whether motion bytes are worth sending. They are where they lower the error more, byte for byte, than a better
/// keyframe would: at these rates a keyframe's squared error falls about as its bytes grow, so one byte more on a keyframe of R bytes and
/// squared error D gains about 0.8 D / R in every frame that is made from it.
/// </summary>
internal sealed class MotionStage(FrameInterpolator interpolator)
{
    private const double KeyframeExponent = 0.8;

    /// <summary>What a correction of the middle brings on average over the gap, where its weight falls linearly to the keyframes.</summary>
    private const double MeanOfGap = 0.5;

    /// <summary>A part's own header in a message.</summary>
    private const int PartBytes = 5;

    private readonly MotionCorrectionEstimator _estimator = new(interpolator.Size);
    private readonly MotionCorrection[] _one = [new()];
    private readonly ArrayBufferWriter<byte> _bytes = new();

    /// <summary>The motion payload of the gap that the interpolator was prepared for; empty: none pays.</summary>
    /// <param name="from">Tick of the keyframe before.</param>
    /// <param name="to">Tick of the keyframe after.</param>
    /// <param name="between">The real frames between.</param>
    /// <param name="keyframeBytes">What the keyframe cost.</param>
    /// <param name="keyframeError">Its sum of squared luma errors.</param>
    public ByteString Code(long from, long to, IReadOnlyList<CapturedFrame> between, int keyframeBytes, double keyframeError)
    {
        if (interpolator.IsCut || Middle(from, to, between) is not { } middle)
            return ByteString.Empty;
        var t = (float)(middle.Tick - from) / (to - from);
        // What a byte must save in the middle's picture: what it would save in all of the gap's pictures if the keyframe had it.
        var price = KeyframeExponent * keyframeError * (to - from) / Math.Max(keyframeBytes, 1);
        var weight = MeanOfGap * (to - from - 1);
        var gain = _estimator.Estimate(interpolator, middle.Frame, t, _one[0], price / weight).Gain;
        _bytes.ResetWrittenCount();
        if (gain <= 0 || MotionCodec.Encode(_one, _bytes) is 0 || gain * weight <= (_bytes.WrittenCount + PartBytes) * price)
            return ByteString.Empty;
        return ByteString.CopyFrom(_bytes.WrittenSpan);
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
