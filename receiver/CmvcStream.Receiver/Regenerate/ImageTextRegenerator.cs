using CmvcStream.Core.Media;
using CmvcStream.Core.Motion;
using CmvcStream.Receiver.Networks;

namespace CmvcStream.Receiver.Regenerate;

/// <summary>
/// IT2V: keyframes are shown as they are, and the pictures between two of them are made by motion-compensated interpolation, helped
/// by the motion that the sender sent, and by a network where there is one. Without the second keyframe the first is held (smooth) or moved on (low latency).
/// </summary>
internal sealed class ImageTextRegenerator : IRegenerator
{
    /// <summary>A keyframe is shown as it is within this of its own time: half of a frame at 60 frames/s.</summary>
    private static readonly MediaTime Exact = MediaTime.FromMilliseconds(8);

    /// <summary>Low latency: how long the truth takes to replace a guess when it lands.</summary>
    private static readonly MediaTime BlendTime = MediaTime.FromMilliseconds(200);

    private readonly SceneState _scene;
    private readonly bool _lowLatency;
    private readonly FramePool _pool;
    private readonly FrameInterpolator _interpolator;
    private readonly MotionCorrection _correction = new();
    private readonly Lazy<FrameRefiner?> _refiner;
    private readonly VideoFrame _last;
    private bool _hasPicture;
    private uint _preparedFrom, _preparedTo;
    private MediaTime _guessedUntil;
    private MediaTime? _ahead;

    /// <param name="scene">What is known.</param>
    /// <param name="size">Of the pictures.</param>
    /// <param name="lowLatency">Extrapolate rather than wait for the next keyframe.</param>
    /// <param name="refiner">Asked for at the first interpolated picture, and owned from then on; null, or one that gives null: they are shown as they are.</param>
    public ImageTextRegenerator(SceneState scene, PixelSize size, bool lowLatency, Func<FrameRefiner?>? refiner = null)
    {
        _refiner = new(refiner ?? (() => null));
        _scene = scene;
        _lowLatency = lowLatency;
        _pool = new(size);
        _interpolator = new(size);
        _last = VideoFrame.Allocate(size);
        _last.Fill();
    }

    /// <summary>Is told of each interpolated picture before it is refined, for those who collect what networks are trained on.</summary>
    public Action<FrameInterpolator, float, MediaTime, VideoFrame>? Interpolated { get; init; }

    public (VideoFrame Frame, Provenance Provenance) Regenerate(MediaTime time)
    {
        var frame = _pool.Rent();
        var provenance = Draw(time, frame);
        frame.Pts = provenance is Provenance.Held ? _last.Pts : _ahead ?? time;
        if (provenance is not (Provenance.Held or Provenance.None))
        {
            frame.CopyTo(_last);
            _hasPicture = true;
        }

        return (frame, provenance);
    }

    private Provenance Draw(MediaTime time, VideoFrame frame)
    {
        _ahead = null;
        var (previous, before, after) = _scene.Around(time + Exact);
        if (before is null)
            return Hold(frame);
        if (time - before.Pts <= Exact)
            return Show(before, frame);
        if (after is null)
            return _lowLatency ? Extrapolate(previous, before, time, frame) : Hold(before, frame);
        if (after.Pts - before.Pts > SceneState.LongestGap)
            return ShowAhead(after, frame);
        if (after.StartsScene)
            return Hold(before, frame);
        Prepare(before, after);
        var t = (float)((time - before.Pts).Seconds / (after.Pts - before.Pts).Seconds);
        if (after.Motion.Length > 0)
        {
            MotionCorrection.Sample(after.Motion, t, _correction);
            _interpolator.Interpolate(t, _correction, frame);
        }
        else
        {
            _interpolator.Interpolate(t, frame);
        }

        Interpolated?.Invoke(_interpolator, t, after.Pts - before.Pts, frame);
        _refiner.Value?.Refine(_interpolator, t, after.Pts - before.Pts, frame);
        Soften(time, frame);
        return Provenance.Interpolated;
    }

    private Provenance Show(SceneKeyframe keyframe, VideoFrame frame)
    {
        keyframe.Picture.CopyTo(frame);
        Soften(keyframe.Pts, frame);
        return keyframe.Provenance;
    }

    /// <summary>Whoever has looked at an old picture for so long gets the new one at once, before its time, and it is held until then.</summary>
    private Provenance ShowAhead(SceneKeyframe after, VideoFrame frame)
    {
        if (_hasPicture && _last.Pts >= after.Pts)
            return Hold(frame);
        after.Picture.CopyTo(frame);
        _ahead = after.Pts;
        return after.Provenance;
    }

    private Provenance Hold(SceneKeyframe before, VideoFrame frame)
    {
        // The keyframe itself may not have been on screen yet; a guess that was is not taken back.
        if (_last.Pts < before.Pts || !_hasPicture)
        {
            before.Picture.CopyTo(_last);
            _last.Pts = before.Pts;
            _hasPicture = true;
        }

        return Hold(frame);
    }

    private Provenance Hold(VideoFrame frame)
    {
        _last.CopyTo(frame);
        return _hasPicture ? Provenance.Held : Provenance.None;
    }

    /// <summary>Moves the last keyframe on along the last gap's motion, which comes to rest by itself.</summary>
    private Provenance Extrapolate(SceneKeyframe? previous, SceneKeyframe before, MediaTime time, VideoFrame frame)
    {
        if (previous is null || before.StartsScene)
            return Hold(before, frame);
        Prepare(previous, before);
        var gap = (before.Pts - previous.Pts).Seconds;
        _interpolator.Extrapolate((float)(1 + (time - before.Pts).Seconds / gap), frame);
        _guessedUntil = time;
        return Provenance.Extrapolated;
    }

    /// <summary>Blends from the guess that is on screen into the truth.</summary>
    private void Soften(MediaTime time, VideoFrame frame)
    {
        if (!_lowLatency || !_hasPicture)
            return;
        var weight = 1 - (time - _guessedUntil).Seconds / BlendTime.Seconds;
        if (weight is > 0 and < 1)
            Blend.Into(frame, _last, (float)weight * 0.7f);
    }

    private void Prepare(SceneKeyframe before, SceneKeyframe after)
    {
        if (_preparedFrom == before.Index && _preparedTo == after.Index)
            return;
        _interpolator.Prepare(before.Picture, after.Picture);
        (_preparedFrom, _preparedTo) = (before.Index, after.Index);
    }

    public void Dispose()
    {
        if (_refiner.IsValueCreated)
            _refiner.Value?.Dispose();
    }
}
