using CmvcStream.Codecs.Av1;
using CmvcStream.Core.Control;
using CmvcStream.Core.Media;
using CmvcStream.Core.Motion;
using CmvcStream.Protos;
using Google.Protobuf;

namespace CmvcStream.Sender.Encode;

/// <summary>A coded keyframe and the motion of the gap that it ends, ready for the wire.</summary>
internal sealed record CodedKeyframe(Keyframe Keyframe, GapMotion? Motion);

/// <summary>
/// Codes keyframes and closes the loop: it decodes what it coded, makes the frames between as the receiver will, and finds where that
/// drifts from the truth and what motion mends it. One caller at a time, except where it says otherwise.
/// </summary>
internal sealed class KeyframeStage : IDisposable
{
    private readonly AomKeyframeEncoder _encoder;
    private readonly KeyframeReconstructor _reconstructor;
    private readonly KeyframeRateControl _rate;
    private readonly FrameInterpolator _interpolator;
    private readonly MotionStage _motion;
    private readonly VideoFrame _scratch;
    private VideoFrame? _shown;
    private long _lastTick;
    private uint _index, _acknowledged;
    private volatile Doubt _doubt;
    private double _codingError;

    public KeyframeStage(PixelSize size, KeyframeRateControl rate)
    {
        _rate = rate;
        _encoder = new(size);
        _reconstructor = new(size, keep: 4);
        _interpolator = new(size);
        _motion = new(_interpolator);
        _scratch = VideoFrame.Allocate(size);
    }

    public long Coded => _index;

    /// <summary>Times between keyframes at which motion was described.</summary>
    public long Described { get; private set; }

    /// <summary>What the last keyframe was coded with.</summary>
    public KeyframeSpend LastSpend { get; private set; }

    /// <summary>What the receiver may lack.</summary>
    private enum Doubt
    {
        None,

        /// <summary>Keyframes after the newest that it has acknowledged.</summary>
        SomeLost,

        /// <summary>All.</summary>
        All,
    }

    /// <summary>The receiver has decoded keyframe <paramref name="index"/>; an older one than before changes nothing. From any thread.</summary>
    public void Acknowledge(uint index)
    {
        var before = Volatile.Read(ref _acknowledged);
        while (index > before && index <= Volatile.Read(ref _index))
        {
            var found = Interlocked.CompareExchange(ref _acknowledged, index, before);
            if (found == before)
                return;
            before = found;
        }
    }

    /// <summary>
    /// Keyframes after the newest acknowledged one may not have arrived, or will not leave: the next one is predicted only from what is
    /// acknowledged, or intra where nothing of that is left. Later ones build on that one. From any thread.
    /// </summary>
    public void Lose() => Interlocked.CompareExchange(ref _doubt, Doubt.SomeLost, Doubt.None);

    /// <summary>The receiver knows nothing: the next keyframe is intra. From any thread.</summary>
    public void Restart() => Interlocked.Exchange(ref _doubt, Doubt.All);

    /// <summary>
    /// How far the middle of the gap would drift from the truth if <paramref name="candidate"/> ended it: 0 (not at all) to 1, beyond
    /// what coding alone costs. The receiver's own interpolation is run on what the receiver has and on the candidate; 1 where that is not known.
    /// </summary>
    public double Drift(VideoFrame middle, VideoFrame candidate)
    {
        if (_shown is null || _doubt != Doubt.None)
            return 1;
        _interpolator.Prepare(_shown, candidate);
        _interpolator.Interpolate(0.5f, _scratch);
        return Math.Max(0, FrameDistance.Structural(middle, _scratch) - _codingError);
    }

    /// <summary>Codes a frame as the next keyframe.</summary>
    /// <param name="frame">The picture.</param>
    /// <param name="between">The frames since the last keyframe, in order.</param>
    /// <param name="reason">Why it was chosen. A cut is intra, and so is a request, unless <see cref="Lose"/> was called: then it is mended.</param>
    /// <param name="available">Payload bytes that may leave soon.</param>
    public CodedKeyframe Encode(CapturedFrame frame, IReadOnlyList<CapturedFrame> between, KeyframeReason reason, double available)
    {
        var doubt = Interlocked.Exchange(ref _doubt, Doubt.None);
        var mend = doubt == Doubt.SomeLost;
        _encoder.Acknowledge(Volatile.Read(ref _acknowledged));
        var intra = _shown is null || doubt == Doubt.All || reason is KeyframeReason.SceneCut || (reason is KeyframeReason.Request && !mend);
        var spend = LastSpend = Fit(frame.Frame, ref intra, mend, available);
        var data = _encoder.Encode(frame.Frame, new(spend.Quality, spend.Scale, intra, mend));
        var keyframe = new Keyframe
        {
            Index = _index + 1,
            Tick = (uint)frame.Tick,
            Data = ByteString.CopyFrom(data),
            Reason = reason is KeyframeReason.Interval ? KeyframeReason.Unspecified : reason,
        };
        Volatile.Write(ref _index, keyframe.Index);
        if (_encoder.Last.Intra || _encoder.Last.Base != keyframe.Index - 1)
            keyframe.Base = (uint)_encoder.Last.Base;
        var shown = _reconstructor.Reconstruct(data, out var picture);
        keyframe.Check = picture.Check(keyframe.Index, keyframe.Tick);
        _codingError = FrameDistance.Structural(frame.Frame, shown);
        GapMotion? motion = null;
        // What moved since a picture that the receiver may not have tells it nothing.
        if (_shown is { } before && doubt == Doubt.None && reason is not KeyframeReason.SceneCut && between.Count > 0)
        {
            _interpolator.Prepare(before, shown);
            var coded = _motion.Code(_lastTick, frame.Tick, between, data.Length, FrameDistance.LumaSquaredError(frame.Frame, shown), _codingError, _rate.MostMotion);
            Described += coded.Times;
            if (coded.Times > 0)
                motion = new() { Keyframe = _index, Data = coded.Data };
        }

        _rate.Spent(data.Length, motion?.Data.Length ?? 0, intra, spend.Quality);
        _shown?.Dispose();
        (_shown, _lastTick) = (shown, frame.Tick);
        return new(keyframe, motion);
    }

    public void Dispose()
    {
        _shown?.Dispose();
        _encoder.Dispose();
        _motion.Dispose();
        _reconstructor.Dispose();
    }

    /// <summary>Tries until the keyframe has the size that it should have; an intra one where a predicted one cannot.</summary>
    private KeyframeSpend Fit(VideoFrame frame, ref bool intra, bool mend, double available)
    {
        var spend = _rate.Plan(intra, available);
        while (true)
        {
            var bytes = _encoder.Measure(frame, new(spend.Quality, spend.Scale, intra, mend));
            // The encoder makes it intra by itself where the size is out of the references' reach.
            var predicted = !_encoder.Last.Intra;
            if (predicted == !intra && _rate.Revise(spend, bytes) is { } better)
                spend = better;
            else if (intra || (predicted && bytes <= _rate.Most))
                return spend;
            else
                spend = _rate.Plan(intra = true, available);
        }
    }
}
