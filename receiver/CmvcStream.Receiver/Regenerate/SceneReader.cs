using System.Diagnostics;
using CmvcStream.Codecs.Av1;
using CmvcStream.Core.Codec;
using CmvcStream.Core.Control;
using CmvcStream.Core.Media;
using CmvcStream.Core.Motion;
using CmvcStream.Protos;
using CmvcStream.Receiver.Networks;

namespace CmvcStream.Receiver.Regenerate;

/// <summary>
/// Reads a sender's messages into the scene: fragments are put together, motion is decoded, keyframes are decoded, checked and brought
/// to the source's size, and restored by a network where there is one. What is wrong is told, never thrown, and the rest is still used. One thread at a time.
/// </summary>
internal sealed class SceneReader : IDisposable
{
    /// <summary>How far ahead of real time a sender's source time may be: by more it is damaged, or the picture would never be shown.</summary>
    private static readonly MediaTime MaxAhead = MediaTime.FromSeconds(30);

    /// <summary>How long the last picture may be held before the source's end: the next sender waits for it.</summary>
    private static readonly MediaTime MaxHold = MediaTime.FromSeconds(10);

    private readonly SceneState _scene;
    private readonly FrameRate _rate;
    private readonly Action<KeyframeArrival> _arrived;
    private readonly Action<string> _fault;
    private readonly long _origin;
    private readonly KeyframeReconstructor _reconstructor;
    private readonly Lazy<KeyframeRestorer?> _restorer;
    private readonly List<Keyframe> _complete = [];
    private readonly uint[] _held = new uint[8];    // indices of the keyframes in the decoder's slots (AV1 specification, 7.20)
    private readonly Dictionary<uint, MotionCorrection[]> _motion = [];
    private readonly MotionCorrection[] _corrections = [.. Enumerable.Range(0, MotionCodec.MaxCount).Select(_ => new MotionCorrection())];

    /// <param name="scene">Takes keyframes and the source's end.</param>
    /// <param name="size">The source's, in pixels.</param>
    /// <param name="rate">Ticks a second.</param>
    /// <param name="arrived">Is told of each keyframe that the scene has taken.</param>
    /// <param name="fault">Takes what was wrong, for the user.</param>
    /// <param name="originTick">The sender's tick at source time 0.</param>
    /// <param name="restorer">Asked for at the first keyframe, and owned from then on; null, or one that gives null: keyframes are sharpened.</param>
    /// <exception cref="CodecException">libaom is missing or does not fit.</exception>
    public SceneReader(SceneState scene, PixelSize size, FrameRate rate, Action<KeyframeArrival> arrived, Action<string> fault, uint originTick = 0, Func<KeyframeRestorer?>? restorer = null)
    {
        (_scene, _rate, _arrived, _fault, _origin) = (scene, rate, arrived, fault, originTick);
        _restorer = new(restorer ?? (() => null));
        _reconstructor = new(size, SceneState.Capacity);
    }

    /// <summary>Highest sequence number of a message, and payload bytes by kind.</summary>
    public PacketReader Packets { get; } = new();

    /// <summary>Index of the newest keyframe that was decoded; 0: none yet.</summary>
    public uint LastDecoded { get; private set; }

    /// <summary>A keyframe is lost, and what is predicted from it with it, until one comes that is predicted from what is here, or intra.</summary>
    public bool Broken { get; private set; }

    /// <summary>
    /// Only an intra keyframe mends: nothing was decoded yet, or something was decoded wrongly and what the decoder keeps is in doubt.
    /// False: one that is predicted from <see cref="LastDecoded"/> does as well.
    /// </summary>
    public bool NeedsIntra { get; private set; } = true;

    /// <summary>Reads a message.</summary>
    /// <param name="message">As received.</param>
    /// <param name="real">Time since the stream began.</param>
    public void Read(SenderMessage message, MediaTime real)
    {
        _complete.Clear();
        if (Packets.Read(message, _complete) is { } wrong)
            Break(wrong);
        foreach (var motion in message.Motion)
            Read(motion);
        foreach (var keyframe in _complete)
            Read(keyframe, real + MaxAhead);
        if (message.Control is { End: true } control)
        {
            // Of text alone there may be minutes after the newest picture.
            var (end, newest) = (MediaTime.FromTicks(control.CoveredTick - _origin, _rate), _scene.Newest ?? MediaTime.Zero);
            var most = (newest > real ? newest : real) + MaxHold;
            _scene.SetEnd(end < most ? end : most);
        }
    }

    public void Dispose()
    {
        _reconstructor.Dispose();
        if (_restorer.IsValueCreated)
            _restorer.Value?.Dispose();
    }

    private void Read(Keyframe keyframe, MediaTime latest)
    {
        var pts = MediaTime.FromTicks(keyframe.Tick - _origin, _rate);
        if (pts < MediaTime.Zero || pts > latest)
        {
            Break($"keyframe {keyframe.Index}: its time {pts} is far ahead of real time");
            return;
        }

        if (keyframe is not { HasBase: true, Base: 0 } && !Follows(keyframe))
            return;
        var restorer = _restorer.Value;
        var began = Stopwatch.GetTimestamp();
        VideoFrame picture;
        DecodedPicture coded;
        try
        {
            picture = _reconstructor.Reconstruct(keyframe.Data.Span, out coded, sharpened: restorer is not { Active: true });
        }
        catch (CodecException e)
        {
            Damage($"keyframe {keyframe.Index}: {e.Message}");
            return;
        }

        if (keyframe.HasCheck && coded.Check(keyframe.Index, keyframe.Tick) is var check && check != keyframe.Check)
        {
            picture.Dispose();
            Damage($"keyframe {keyframe.Index}: it decodes to another picture than the sender coded (check {check:x4}, the sender's {keyframe.Check:x4}): "
                + "damaged on the way, or decoded by an AV1 library that does otherwise");
            return;
        }

        Broken = NeedsIntra = false;
        LastDecoded = keyframe.Index;
        for (var i = 0; i < _held.Length; i++)
        {
            if ((_reconstructor.Stored >> i & 1) != 0)
                _held[i] = keyframe.Index;
        }

        var decoded = Stopwatch.GetElapsedTime(began);
        var restored = restorer?.Restore(picture, coded.Size, _reconstructor.Quantizer) == true;
        picture.Pts = pts;
        _motion.Remove(keyframe.Index, out var corrections);
        var entry = new SceneKeyframe(keyframe.Index, pts, picture, keyframe.Reason, corrections ?? [], restored);
        if (_scene.Add(entry))
        {
            _arrived(new(pts, coded.Size, decoded, restored ? Stopwatch.GetElapsedTime(began) - decoded : null));
            return;
        }

        entry.Dispose();
        _fault($"keyframe {keyframe.Index}: its time {pts} is not after the one before");
    }

    /// <summary>Whether what a predicted keyframe needs is here: else it would decode to something that the sender has never seen.</summary>
    private bool Follows(Keyframe keyframe)
    {
        if (keyframe.Index <= LastDecoded && !NeedsIntra)
            _fault($"keyframe {keyframe.Index} comes after {LastDecoded}");
        else if (!keyframe.HasBase && keyframe.Index != LastDecoded + 1)
            Break($"keyframe {keyframe.Index}: the one before it is missing");
        else if (NeedsIntra)
            Break($"keyframe {keyframe.Index}: an intra keyframe is needed first");
        else if (keyframe.HasBase && !_held.Contains(keyframe.Base))
            Break($"keyframe {keyframe.Index}: keyframe {keyframe.Base}, which it is predicted from, is missing");
        else
            return true;
        return false;
    }

    private void Read(GapMotion motion)
    {
        if (!MotionCodec.TryDecode(motion.Data.Span, _corrections, out var count, out var error))
        {
            _fault($"motion of keyframe {motion.Keyframe}: {error}");
            return;
        }

        if (count == 0)
            return;
        // Of keyframes that were lost, or never existed.
        if (_motion.Count > 8)
            _motion.Clear();
        var copy = new MotionCorrection[count];
        for (var k = 0; k < count; k++)
            _corrections[k].CopyTo(copy[k] = new());
        _motion[motion.Keyframe] = copy;
    }

    private void Damage(string what)
    {
        NeedsIntra = true;
        Break(what);
    }

    private void Break(string what)
    {
        Broken = true;
        _fault(what);
    }
}

/// <summary>A keyframe that the scene has taken.</summary>
/// <param name="Pts">Its source time.</param>
/// <param name="Coded">The size at which it was coded, in pixels.</param>
/// <param name="Took">How long it took to decode and to bring it to the source's size.</param>
/// <param name="Restoring">How long a network took to restore it; null: none has.</param>
internal readonly record struct KeyframeArrival(MediaTime Pts, PixelSize Coded, TimeSpan Took, TimeSpan? Restoring);
