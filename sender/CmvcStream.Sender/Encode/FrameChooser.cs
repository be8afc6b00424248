using CmvcStream.Core.Codec;
using CmvcStream.Core.Control;
using CmvcStream.Core.Media;
using CmvcStream.Protos;

namespace CmvcStream.Sender.Encode;

/// <summary>A frame chosen as keyframe, the frames since the last one, and why.</summary>
internal sealed record Choice(CapturedFrame Frame, IReadOnlyList<CapturedFrame> Between, KeyframeReason Reason);

/// <summary>
/// Chooses keyframes as frames come: asks the selector, and closes the loop by trying what the receiver would make of the frames in
/// between. Owns the frames that it was offered until the choice that they belong to has been coded.
/// </summary>
internal sealed class FrameChooser : IDisposable
{
    /// <summary>Frames kept since the last keyframe; beyond that the oldest go.</summary>
    private const int Kept = 40;

    /// <summary>1 - SSIM in the middle of a gap above what coding costs, from which on the gap is too long.</summary>
    private const double ToleratedDrift = 0.1;

    private readonly KeyframeStage _stage;
    private readonly KeyframeRateControl _rate;
    private readonly DescriptorEmbedding _embedding = new();
    private readonly KeyframeSelector _selector = new();
    private readonly List<CapturedFrame> _frames = [];
    private readonly float[] _vector;
    private readonly bool _uniform;
    private long _lastKeyframe = -1;
    private int _requested;

    /// <param name="stage">Codes what is chosen.</param>
    /// <param name="rate">Says what can be paid for.</param>
    /// <param name="uniform">Even spacing whatever the content, for comparison.</param>
    public FrameChooser(KeyframeStage stage, KeyframeRateControl rate, bool uniform = false)
    {
        (_stage, _rate, _uniform) = (stage, rate, uniform);
        _vector = new float[_embedding.Dimensions];
    }

    /// <summary>Scenes count from 1.</summary>
    public int Scene { get; private set; } = 1;

    /// <summary>The one gate where a keyframe is asked for.</summary>
    /// <param name="intra">It must decode alone; else what is predicted from an acknowledged keyframe will do.</param>
    public void Request(bool intra) => Interlocked.Or(ref _requested, intra ? 2 : 1);

    /// <summary>Takes a frame (and its reference) and says whether it is a keyframe now.</summary>
    /// <param name="frame">The newest frame.</param>
    /// <param name="available">Payload bytes that may leave soon (<see cref="KeyframeRateControl.Lead"/>); negative infinity: none may be coded.</param>
    /// <param name="newest">False: newer frames wait already. Such a frame is looked at, but what becomes a keyframe is the newest.</param>
    public Choice? Offer(CapturedFrame frame, double available, bool newest = true)
    {
        _frames.Add(frame);
        if (_frames.Count > Kept)
        {
            _frames[0].Frame.Dispose();
            _frames.RemoveAt(0);
        }

        _embedding.Embed(frame.Frame, _vector);
        var possible = !double.IsNegativeInfinity(available);
        if (_lastKeyframe < 0)
            return possible ? Choose(KeyframeReason.SceneCut) : null;
        newest &= possible;
        var ticks = frame.Tick - _lastKeyframe;
        if (_uniform)
            return newest && ticks >= _rate.TargetInterval && _rate.Affords(available) ? Choose(KeyframeReason.Interval) : null;
        var verdict = _selector.Consider(_vector, ticks, _rate.TargetInterval, _rate.MinInterval, _rate.MaxInterval);
        if (!newest)
            return null;    // the selector remembers a cut
        if (verdict == KeyframeReason.SceneCut)
        {
            Scene++;
            return Choose(KeyframeReason.SceneCut);
        }

        // A keyframe that has to wait is an old one when it leaves.
        if (!_rate.Affords(available))
            return null;
        var requested = Interlocked.Exchange(ref _requested, 0);
        if (requested > 0)
        {
            if (requested == 1)
                _stage.Lose();
            return Choose(KeyframeReason.Request);
        }

        if (verdict is not null)
            return Choose(verdict.Value);
        if (ticks >= _rate.MinInterval && ticks % 2 == 0 && available >= _rate.Nominal && _frames.Count >= 3
            && _stage.Drift(_frames[_frames.Count / 2].Frame, frame.Frame) > ToleratedDrift)
            return Choose(KeyframeReason.Drift);
        return null;
    }

    /// <summary>The source has ended: its last frame, unless that is a keyframe already.</summary>
    public Choice? Finish() => _frames.Count > 0 ? Choose(KeyframeReason.Interval) : null;

    /// <summary>The choice was coded; its frames go.</summary>
    public void Coded() => Release();

    public void Dispose() => Release();

    private Choice Choose(KeyframeReason reason)
    {
        var frame = _frames[^1];
        _lastKeyframe = frame.Tick;
        _selector.Keyframe(_vector, reason);
        return new(frame, _frames[..^1], reason);
    }

    private void Release()
    {
        foreach (var frame in _frames)
            frame.Frame.Dispose();
        _frames.Clear();
    }
}
