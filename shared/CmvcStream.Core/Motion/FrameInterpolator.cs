using CmvcStream.Core.Media;

namespace CmvcStream.Core.Motion;

/// <summary>
/// Makes the pictures between two keyframes (and a little beyond the second) by motion-compensated interpolation. <see cref="Prepare"/> once for
/// a pair, then any number of times. Deterministic on one machine; between machines the last bit may differ, so nothing that a later keyframe
/// depends on may come from here. Nothing is allocated after construction. Not safe for use by two threads at once.
/// </summary>
public sealed class FrameInterpolator
{
    // Pairs of 14 train clips: across clips at least 0.83 is unexplained and reliability is below 0.01. Within one scene, up to 4/3 s apart, at
    // most 0.79. Where reliability is below 0.08 nothing matches within a scene either, and holding is best as well.

    /// <summary>Unexplained share from which on keyframes count as two scenes.</summary>
    private const float CutUnexplained = 0.8f;

    /// <summary>Below this reliability a smaller share is enough.</summary>
    private const float CutReliability = 0.08f, CutUnexplainedUnreliable = 0.5f;

    /// <summary>An extrapolated picture moves at most this part of the last gap's motion: guesses far ahead are worse than rest.</summary>
    private const float ExtrapolationLimit = 0.6f;

    private readonly PaddedPicture _a, _b;
    private readonly MotionEstimator _estimator;
    private readonly IntermediateField _field;
    private readonly FieldExpander _luma, _chroma;
    private readonly float[] _none, _all;    // shares of the second keyframe
    private bool _prepared;
    private (float Place, float Time)? _projected;

    public FrameInterpolator(PixelSize size)
    {
        Size = size;
        _a = new(size);
        _b = new(size);
        _estimator = new(size, _a.Luma.Length);
        Forward = new(size);
        Backward = new(size);
        _field = new(size);
        _luma = new(size.Width, MotionField.Cell, _field);
        _chroma = new(size.Chroma.Width, MotionField.Cell / 2, _field);
        _none = new float[size.Width + 16];
        _all = new float[size.Width + 16];
        _all.AsSpan().Fill(1);
    }

    /// <summary>Of the keyframes and of what is made from them, in luma pixels.</summary>
    public PixelSize Size { get; }

    /// <summary>Motion from the first keyframe to the second.</summary>
    public MotionField Forward { get; }

    /// <summary>Motion from the second keyframe to the first.</summary>
    public MotionField Backward { get; }

    /// <summary>Mean confidence of the motion, 0 to 1: how far what is made between these keyframes can be trusted.</summary>
    public float Reliability { get; private set; }

    /// <summary>The keyframes are of two scenes: the first is held to the middle of the gap, then the second.</summary>
    public bool IsCut { get; private set; }

    /// <summary>Share of the keyframes' detail that motion does not explain: 0 (all of it is) to about 1 (none).</summary>
    internal float Unexplained { get; private set; }

    /// <summary>Motion of the last picture made, for the estimator of corrections.</summary>
    internal IntermediateField Intermediate => _field;

    /// <summary>Takes copies of two keyframes, the first being the earlier, and estimates the motion between them.</summary>
    /// <exception cref="ArgumentException">A frame is not of <see cref="Size"/>.</exception>
    public void Prepare(VideoFrame a, VideoFrame b)
    {
        Check(a);
        Check(b);
        _a.CopyFrom(a);
        _b.CopyFrom(b);
        _estimator.Estimate(_a, _b, Forward);
        _estimator.Estimate(_b, _a, Backward);
        Confidence.Rate(Forward, Backward);
        Confidence.Rate(Backward, Forward);
        Unexplained = (Confidence.Unexplained(_a, _b, Forward) + Confidence.Unexplained(_b, _a, Backward)) / 2;
        var confidence = (Confidence.Mean(Forward) + Confidence.Mean(Backward)) / 2;
        IsCut = Unexplained > (confidence < CutReliability ? CutUnexplainedUnreliable : CutUnexplained);
        Reliability = IsCut ? 0 : confidence;
        _prepared = true;
        _projected = null;
    }

    /// <summary>Makes the picture at a time between the keyframes.</summary>
    /// <param name="t">0 (the first keyframe) to 1 (the second).</param>
    /// <param name="destination">Of <see cref="Size"/>; its presentation timestamp is left alone.</param>
    /// <exception cref="ArgumentException">The frame is not of <see cref="Size"/>.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The time is not within 0 to 1.</exception>
    /// <exception cref="InvalidOperationException"><see cref="Prepare"/> has not been called.</exception>
    public void Interpolate(float t, VideoFrame destination) => Interpolate(t, null, destination);

    /// <summary>Makes the picture at a time between the keyframes, with what the sender has said of the motion then.</summary>
    /// <inheritdoc cref="Interpolate(float, VideoFrame)"/>
    public void Interpolate(float t, MotionCorrection? correction, VideoFrame destination)
    {
        InterpolateLuma(t, correction, destination);
        WarpChroma(_a, destination);
    }

    /// <summary>As <see cref="Interpolate(float, MotionCorrection?, VideoFrame)"/>, but leaves the destination's chroma alone.</summary>
    public void InterpolateLuma(float t, MotionCorrection? correction, VideoFrame destination)
    {
        Check(destination);
        if (!(t is >= 0 and <= 1))
            throw new ArgumentOutOfRangeException(nameof(t), t, "the time between the keyframes is 0 to 1");
        CheckPrepared();
        if (IsCut)
        {
            _field.Hold(t < 0.5f ? 0 : 1);
        }
        else
        {
            var place = Math.Clamp(t + (correction?.TimeWarp ?? 0) / (float)MotionCorrection.StepsPerGap, 0, 1);
            if (_projected != (place, t))
                _field.Project(place, t, _a, _b, Forward, Backward);
            _projected = (place, t);
            _field.Place(place, correction);
        }

        WarpLuma(_a, destination);
    }

    /// <summary>Makes a picture after the second keyframe, along the motion that led to it, which comes to rest soon.</summary>
    /// <param name="t">1 (the second keyframe) or more: time since the first keyframe over the gap between them.</param>
    /// <param name="destination">Of <see cref="Size"/>; its presentation timestamp is left alone.</param>
    /// <exception cref="ArgumentException">The frame is not of <see cref="Size"/>.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The time is below 1.</exception>
    /// <exception cref="InvalidOperationException"><see cref="Prepare"/> has not been called.</exception>
    public void Extrapolate(float t, VideoFrame destination)
    {
        Check(destination);
        if (!(t >= 1))
            throw new ArgumentOutOfRangeException(nameof(t), t, "the time of an extrapolated picture is 1 or more");
        CheckPrepared();
        _projected = null;
        if (IsCut)
            _field.Hold(1);
        else
            _field.Extrapolate(ExtrapolationLimit * (1 - MathF.Exp((1 - t) / ExtrapolationLimit)), Backward);
        WarpLuma(_b, destination);
        WarpChroma(_b, destination);
    }

    /// <summary>Each keyframe by itself, moved to the time of the picture that was interpolated last.</summary>
    /// <param name="first">Takes the first keyframe, moved; of <see cref="Size"/>.</param>
    /// <param name="second">Takes the second one.</param>
    /// <exception cref="ArgumentException">A frame is not of <see cref="Size"/>.</exception>
    /// <exception cref="InvalidOperationException">No picture was interpolated between these keyframes.</exception>
    public void Moved(VideoFrame first, VideoFrame second)
    {
        Check(first);
        Check(second);
        if (_projected is null)
            throw new InvalidOperationException("call Interpolate first, between keyframes of one scene");
        Move(first, _none);
        Move(second, _all);
    }

    private unsafe void Move(VideoFrame destination, float[] share)
    {
        fixed (float* s = share)
        {
            for (var y = 0; y < destination.Y.Height; y++)
            {
                var row = _luma.Row(y, 1);
                fixed (byte* d = destination.Y.Row(y))
                    WarpKernels.Mix(_a.Luma[0], _b.Luma[0], y, new(row.Ax, row.Ay, row.Bx, row.By, s), d);
            }

            for (var y = 0; y < destination.U.Height; y++)
            {
                var row = _chroma.Row(y, 0.5f);
                fixed (byte* u = destination.U.Row(y), v = destination.V.Row(y))
                {
                    WarpKernels.Mix(_a.U, _b.U, y, new(row.Ax, row.Ay, row.Bx, row.By, s), u);
                    WarpKernels.Mix(_a.V, _b.V, y, new(row.Ax, row.Ay, row.Bx, row.By, s), v);
                }
            }
        }
    }

    private unsafe void WarpLuma(PaddedPicture a, VideoFrame destination)
    {
        for (var y = 0; y < destination.Y.Height; y++)
        {
            var row = _luma.Row(y, 1);
            fixed (byte* d = destination.Y.Row(y))
                WarpKernels.Mix(a.Luma[0], _b.Luma[0], y, row, d);
        }
    }

    private unsafe void WarpChroma(PaddedPicture a, VideoFrame destination)
    {
        for (var y = 0; y < destination.U.Height; y++)
        {
            var row = _chroma.Row(y, 0.5f);
            fixed (byte* u = destination.U.Row(y), v = destination.V.Row(y))
            {
                WarpKernels.Mix(a.U, _b.U, y, row, u);
                WarpKernels.Mix(a.V, _b.V, y, row, v);
            }
        }
    }

    private void CheckPrepared()
    {
        if (!_prepared)
            throw new InvalidOperationException("call Prepare with two keyframes first");
    }

    private void Check(VideoFrame frame)
    {
        ArgumentNullException.ThrowIfNull(frame);
        if (frame.Size != Size)
            throw new ArgumentException($"a frame of {frame.Size} where this works on {Size}; scale it first", nameof(frame));
    }
}
