using CmvcStream.Core.Media;
using CmvcStream.Protos;

namespace CmvcStream.Core.Control;

/// <summary>
/// Puts parts that may share a packet into one, because at these rates headers are the bill. A packet with a keyframe is due at once,
/// one of small parts when they have waited for company long enough; none leaves before the wire budget allows it. What is large goes
/// in fragments, with text and motion between them.
/// </summary>
public sealed class PacketAssembler(WireOverhead overhead, WireBudget budget)
{
    /// <summary>A keyframe's own header in a message, at most.</summary>
    private const int PartHeader = 19;

    private readonly Queue<(Keyframe Keyframe, MediaTime Since)> _keyframes = new();
    private readonly Dictionary<uint, GapMotion> _motion = [];
    private SceneText? _text;
    private StreamControl _control = new();
    private bool _hasControl;
    private MediaTime _oldest;
    private bool _waiting;
    private uint _sequence;
    private uint _fragmentOffset;

    /// <summary>Payload bytes that wait to leave.</summary>
    public int Backlog { get; private set; }

    /// <summary>Payload bytes that may leave within a time, beyond those that wait; negative when even these may not.</summary>
    public double Available(MediaTime now, MediaTime within) =>
        budget.Credit(now) + budget.Rate.BytesPerSecond * within.Seconds - overhead.WireBytes(Backlog + PartHeader);

    /// <summary>How long a small part may wait for company: so long that headers take a tenth of the rate, and a second at most.</summary>
    public MediaTime Coalesce => MediaTime.FromSeconds(Math.Clamp(overhead.WireBytes(0) * 8 / (0.1 * budget.Rate.BitsPerSecond), 0.02, 1.0));

    public void Add(Keyframe keyframe, GapMotion? motion, MediaTime now)
    {
        ArgumentNullException.ThrowIfNull(keyframe);
        _keyframes.Enqueue((keyframe, now));
        Backlog += Size(keyframe);
        if (motion is not null)
        {
            _motion[keyframe.Index] = motion;
            Backlog += Size(motion);
        }

        Touch(now);
    }

    /// <summary>A newer text takes the place of one that has not left yet: newest wins, what the older said of the scene is kept.</summary>
    public void Add(SceneText text, MediaTime now)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (_text is { } old)
        {
            Backlog -= Size(old);
            Complete(text, old);
        }

        _text = text;
        Backlog += Size(text);
        Touch(now);
    }

    /// <summary>Empty parts are as before: writes them out, where an earlier text of the same scene has them.</summary>
    internal static void Complete(SceneText text, SceneText before)
    {
        if (text.Scene != before.Scene)
            return;
        if (text.Look.Length == 0)
            text.Look = before.Look;
        if (text.Motion.Length == 0)
            text.Motion = before.Motion;
    }

    public void Add(StreamControl control, MediaTime now)
    {
        ArgumentNullException.ThrowIfNull(control);
        _control.MergeFrom(control);
        _hasControl = true;
        Touch(now);
    }

    /// <summary>What the next packet will cost, at most.</summary>
    public int NextWireBytes => overhead.WireBytes(Math.Min(Math.Max(Backlog, 8), budget.LargestPacket) + 4);

    /// <summary>
    /// Drops keyframes that have waited for longer than <paramref name="most"/>, and those that follow: what is predicted from them would be of
    /// no use. What remains of one that is half sent goes too.
    /// </summary>
    /// <returns>Keyframes dropped.</returns>
    public int DropStale(MediaTime now, MediaTime most) =>
        _keyframes.TryPeek(out var oldest) && now - oldest.Since > most ? DropKeyframes() : 0;

    /// <summary>Drops every keyframe that waits, and its motion.</summary>
    /// <returns>Keyframes dropped.</returns>
    public int DropKeyframes()
    {
        var dropped = _keyframes.Count;
        _keyframes.Clear();
        _motion.Clear();
        _fragmentOffset = 0;
        Recount();
        _waiting = _text is not null || _hasControl;
        return dropped;
    }

    /// <summary>When the next packet may and should leave; null when nothing waits.</summary>
    /// <param name="now">Time.</param>
    /// <param name="urgent">Do not wait for company.</param>
    public MediaTime? DueAt(MediaTime now, bool urgent = false)
    {
        if (!_waiting)
            return null;
        var due = urgent || _keyframes.Count > 0 || _control.End ? now : Max(now, _oldest + Coalesce);
        return Max(due, budget.ReadyAt(now, NextWireBytes));
    }

    /// <summary>A packet that only asks for a report.</summary>
    public SenderMessage Empty() => new() { Sequence = ++_sequence };

    /// <summary>Takes the next packet; the caller sends it and charges the budget with what it cost.</summary>
    public SenderMessage Take(MediaTime now)
    {
        var message = new SenderMessage { Sequence = ++_sequence };
        var room = budget.LargestPacket;
        if (_text is { } text)
        {
            message.Text.Add(text);
            room -= Size(text);
            _text = null;
        }

        while (_keyframes.TryPeek(out var waiting))
        {
            var keyframe = waiting.Keyframe;
            if (_fragmentOffset == 0 && _motion.Remove(keyframe.Index, out var motion))
            {
                message.Motion.Add(motion);
                room -= Size(motion);
            }

            var left = keyframe.Data.Length - (int)_fragmentOffset;
            var empty = message.Keyframe.Count == 0;
            // No packet is larger than DueAt foresaw: the budget has waited for no more than that.
            if (left + PartHeader <= room || (empty && left <= 64))
            {
                message.Keyframe.Add(_fragmentOffset == 0 ? keyframe : Fragment(keyframe, left));
                _keyframes.Dequeue();
                _fragmentOffset = 0;
                room -= left + PartHeader;
                continue;
            }

            // Not worth a fragment's header: the next packet takes it whole.
            if (!empty && left <= budget.LargestPacket && room < budget.LargestPacket / 4)
                break;
            var take = Math.Min(left, room - PartHeader);
            if (take < 64)
                break;
            message.Keyframe.Add(Fragment(keyframe, take));
            _fragmentOffset += (uint)take;
            break;
        }

        if (_hasControl && (_keyframes.Count == 0 || !_control.End))
        {
            message.Control = _control;
            _control = new();
            _hasControl = false;
        }

        Recount();
        _waiting = _keyframes.Count > 0 || _hasControl;
        _oldest = now;
        return message;
    }

    private Keyframe Fragment(Keyframe whole, int take)
    {
        var part = new Keyframe
        {
            Index = whole.Index,
            Data = Google.Protobuf.ByteString.CopyFrom(whole.Data.Span.Slice((int)_fragmentOffset, take)),
            Offset = _fragmentOffset,
            Total = (uint)whole.Data.Length,
        };
        if (_fragmentOffset == 0)
        {
            part.Tick = whole.Tick;
            part.Reason = whole.Reason;
            if (whole.HasBase)
                part.Base = whole.Base;
            if (whole.HasCheck)
                part.Check = whole.Check;
        }

        return part;
    }

    private void Recount()
    {
        Backlog = (_text is { } text ? Size(text) : 0) - (int)_fragmentOffset;
        foreach (var (keyframe, _) in _keyframes)
            Backlog += Size(keyframe);
        foreach (var motion in _motion.Values)
            Backlog += Size(motion);
        Backlog = Math.Max(Backlog, 0);
    }

    private void Touch(MediaTime now)
    {
        if (!_waiting)
            _oldest = now;
        _waiting = true;
    }

    /// <summary>A part with its tag and length, near enough: both are a byte for all but the largest parts.</summary>
    private static int Size(Google.Protobuf.IMessage part) => part.CalculateSize() + 2;

    private static MediaTime Max(MediaTime a, MediaTime b) => a > b ? a : b;
}
