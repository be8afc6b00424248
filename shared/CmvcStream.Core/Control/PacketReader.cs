using CmvcStream.Protos;
using Google.Protobuf;

namespace CmvcStream.Core.Control;

/// <summary>
/// Reads the sender's messages: puts fragments of keyframes together and checks what the schema cannot. Bad input is an error with
/// a reason, never an exception; what is good in the same message is still used. A keyframe that begins replaces one that is not complete.
/// </summary>
public sealed class PacketReader
{
    /// <summary>A coded picture is never larger; what claims to be is refused before anything is allocated for it.</summary>
    public const int MaxKeyframeBytes = 512 * 1024;

    private Keyframe? _partial;
    private byte[] _data = [];
    private int _have;
    private uint _complete;

    /// <summary>Highest sequence number seen.</summary>
    public uint Sequence { get; private set; }

    /// <summary>Payload bytes by kind.</summary>
    public PayloadCounters Payload { get; } = new();

    /// <summary>Hands out the whole keyframes of a message, in order. Whether they can be decoded is not looked at.</summary>
    /// <param name="message">As received.</param>
    /// <param name="keyframes">Receives what is complete now.</param>
    /// <returns>Null, or what was wrong.</returns>
    public string? Read(SenderMessage message, ICollection<Keyframe> keyframes)
    {
        ArgumentNullException.ThrowIfNull(message);
        ArgumentNullException.ThrowIfNull(keyframes);
        Sequence = Math.Max(Sequence, message.Sequence);
        Payload.Count(message);
        string? error = null;
        foreach (var part in message.Keyframe)
            error = Add(part, keyframes) ?? error;
        return error;
    }

    private string? Add(Keyframe part, ICollection<Keyframe> keyframes)
    {
        if (part.Total == 0)
            return Complete(part, keyframes);
        if (part.Total > MaxKeyframeBytes || part.Offset + (ulong)part.Data.Length > part.Total || part.Data.IsEmpty)
            return Drop($"keyframe {part.Index}: a fragment of {part.Data.Length} bytes at {part.Offset} does not fit {part.Total} (at most {MaxKeyframeBytes})");
        if (part.Offset == 0)
        {
            _partial = part;
            _have = 0;
            if (_data.Length < (int)part.Total)
                _data = new byte[part.Total];
        }
        else if (_partial is null || _partial.Index != part.Index || part.Offset != _have || part.Total != _partial.Total)
        {
            // The rest of one that was given up: its loss has been told.
            return part.Index <= _complete ? null : Drop($"keyframe {part.Index}: fragment at {part.Offset} without the one before it");
        }

        part.Data.Span.CopyTo(_data.AsSpan((int)part.Offset));
        _have += part.Data.Length;
        if (_have < (int)part.Total)
            return null;
        var whole = _partial;
        whole.Data = ByteString.CopyFrom(_data.AsSpan(0, _have));
        whole.Offset = whole.Total = 0;
        return Complete(whole, keyframes);
    }

    private string? Complete(Keyframe keyframe, ICollection<Keyframe> keyframes)
    {
        if (keyframe.Data.IsEmpty || keyframe.Data.Length > MaxKeyframeBytes)
            return Drop($"keyframe {keyframe.Index}: {keyframe.Data.Length} bytes; 1 to {MaxKeyframeBytes} are expected");
        _partial = null;
        _complete = keyframe.Index;
        keyframes.Add(keyframe);
        return null;
    }

    private string Drop(string why)
    {
        _partial = null;
        return why;
    }
}

/// <summary>Payload bytes by kind, as in the statistics.</summary>
public sealed class PayloadCounters
{
    public long Keyframe { get; private set; }

    public long Motion { get; private set; }

    public long Text { get; private set; }

    public long Control { get; private set; }

    public long Total => Keyframe + Motion + Text + Control;

    /// <summary>Counts a message: each part with its tag and length, the rest as control.</summary>
    public void Count(SenderMessage message)
    {
        ArgumentNullException.ThrowIfNull(message);
        long keyframe = 0, motion = 0, text = 0;
        foreach (var part in message.Keyframe)
            keyframe += Size(part);
        foreach (var part in message.Motion)
            motion += Size(part);
        foreach (var part in message.Text)
            text += Size(part);
        Keyframe += keyframe;
        Motion += motion;
        Text += text;
        Control += message.CalculateSize() - keyframe - motion - text;
    }

    public void Count(ReceiverMessage message)
    {
        ArgumentNullException.ThrowIfNull(message);
        Control += message.CalculateSize();
    }

    private static int Size(IMessage part)
    {
        var size = part.CalculateSize();
        return size + 1 + CodedOutputStream.ComputeLengthSize(size);
    }
}
