using CmvcStream.Core.Media;
using CmvcStream.Core.Motion;
using CmvcStream.Protos;

namespace CmvcStream.Receiver.Regenerate;

/// <summary>A keyframe as the receiver has it: decoded, at the source's size, with what was said of the motion that leads to it.</summary>
internal sealed class SceneKeyframe(uint index, MediaTime pts, VideoFrame picture, KeyframeReason reason, MotionCorrection[] motion, bool restored = false) : IDisposable
{
    public uint Index => index;

    public MediaTime Pts => pts;

    /// <summary>At presentation size; owned.</summary>
    public VideoFrame Picture => picture;

    /// <summary>What the picture is when it is shown.</summary>
    public Provenance Provenance => restored ? Provenance.Restored : Provenance.Transmitted;

    /// <summary>It begins a new scene: nothing is made between it and the one before.</summary>
    public bool StartsScene => reason == KeyframeReason.SceneCut;

    /// <summary>Corrections for the gap that it ends, in order; empty: none.</summary>
    public MotionCorrection[] Motion => motion;

    public void Dispose() => picture.Dispose();
}

/// <summary>
/// What the receiver knows of the scene: the keyframes around the time that is shown. Written by the reading task, read by the
/// presentation thread. Bounded: what has been shown is dropped, and so is the oldest when too many wait.
/// </summary>
internal sealed class SceneState : IDisposable
{
    /// <summary>Keyframes that may wait to be shown.</summary>
    public const int Capacity = 96;

    /// <summary>Between keyframes further apart nothing is made: there was an outage, or text only. The first after it is shown when it is there.</summary>
    public static readonly MediaTime LongestGap = MediaTime.FromSeconds(4);

    private readonly Lock _gate = new();
    private readonly List<SceneKeyframe> _keyframes = [];
    private MediaTime? _end;

    /// <summary>Keyframes dropped because too many waited.</summary>
    public long Dropped { get; private set; }

    /// <summary>End of the source, once it is known.</summary>
    public MediaTime? End
    {
        get
        {
            lock (_gate)
                return _end;
        }
    }

    public void SetEnd(MediaTime end)
    {
        lock (_gate)
            _end = end;
    }

    /// <summary>Source time of the newest keyframe, or null.</summary>
    public MediaTime? Newest
    {
        get
        {
            lock (_gate)
                return _keyframes.Count > 0 ? _keyframes[^1].Pts : null;
        }
    }

    /// <summary>Adds a keyframe and owns it from here on. Keyframes come in order of source time; one that does not is refused.</summary>
    public bool Add(SceneKeyframe keyframe)
    {
        lock (_gate)
        {
            if (_keyframes.Count > 0 && keyframe.Pts <= _keyframes[^1].Pts)
                return false;
            _keyframes.Add(keyframe);
            if (_keyframes.Count > Capacity)
            {
                _keyframes[0].Dispose();
                _keyframes.RemoveAt(0);
                Dropped++;
            }

            return true;
        }
    }

    /// <summary>
    /// The newest keyframe not after a source time, the one before it and the one that follows. What is older is dropped.
    /// The keyframes stay valid until the next call.
    /// </summary>
    public (SceneKeyframe? Previous, SceneKeyframe? Before, SceneKeyframe? After) Around(MediaTime time)
    {
        lock (_gate)
        {
            var k = _keyframes.FindLastIndex(f => f.Pts <= time);
            for (; k > 1; k--)
            {
                _keyframes[0].Dispose();
                _keyframes.RemoveAt(0);
            }

            return (k >= 1 ? _keyframes[k - 1] : null, k >= 0 ? _keyframes[k] : null, k + 1 < _keyframes.Count ? _keyframes[k + 1] : null);
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            foreach (var keyframe in _keyframes)
                keyframe.Dispose();
            _keyframes.Clear();
        }
    }
}
