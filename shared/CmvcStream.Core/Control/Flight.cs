using CmvcStream.Core.Media;

namespace CmvcStream.Core.Control;

/// <summary>A packet that was sent.</summary>
/// <param name="Sequence">Its number.</param>
/// <param name="SentAt">By the sender's clock.</param>
/// <param name="WireBytes">What it costs on the wire.</param>
/// <param name="Keyframe">Index of the newest keyframe that it carries a part of; 0: none.</param>
public readonly record struct SentPacket(uint Sequence, MediaTime SentAt, int WireBytes, uint Keyframe = 0);

/// <summary>
/// Packets that were sent and are not reported yet. Bounding their bytes keeps the queue out of kernels, relays and modems, where nothing
/// can be taken back and nothing fresh can overtake: a kernel's send buffer alone holds minutes at 8 kbit/s.
/// </summary>
public sealed class Flight
{
    // In order of sequence; few.
    private readonly List<SentPacket> _packets = [];

    /// <summary>Wire bytes that are not reported yet.</summary>
    public int Bytes { get; private set; }

    public int Count => _packets.Count;

    /// <summary>The oldest packet under way; null: none is.</summary>
    public SentPacket? Oldest => _packets.Count > 0 ? _packets[0] : null;

    /// <summary>The oldest packet under way of a higher sequence than this; null: none is.</summary>
    public SentPacket? OldestAfter(uint sequence)
    {
        foreach (var packet in _packets)
        {
            if (packet.Sequence > sequence)
                return packet;
        }

        return null;
    }

    /// <summary>Packets under way that were sent between two others.</summary>
    public SentPacket[] Between(uint after, uint before) => [.. _packets.Where(p => p.Sequence > after && p.Sequence < before)];

    /// <summary>Wire bytes under way ahead of the newest packet.</summary>
    public int BytesAhead => _packets.Count > 0 ? Bytes - _packets[^1].WireBytes : 0;

    /// <param name="packet">With a higher sequence than any before.</param>
    public void Add(SentPacket packet)
    {
        _packets.Add(packet);
        Bytes += packet.WireBytes;
    }

    /// <summary>Takes out a packet that has arrived; null: it is not under way (reported twice, or never sent).</summary>
    public SentPacket? Arrived(uint sequence)
    {
        var at = _packets.FindIndex(p => p.Sequence == sequence);
        return at < 0 ? null : Remove(at);
    }

    /// <summary>Takes out what was sent before a packet of this sequence: on a path that loses packets it will not come any more.</summary>
    /// <returns>How many, and the newest keyframe among them; 0: none.</returns>
    public (int Packets, uint Keyframe) LoseBefore(uint sequence)
    {
        var (packets, keyframe) = (0, 0u);
        for (; _packets.Count > 0 && _packets[0].Sequence < sequence; packets++)
            keyframe = Math.Max(keyframe, Remove(0).Keyframe);
        return (packets, keyframe);
    }

    /// <summary>Nothing is known any more of what is under way: the connection is gone.</summary>
    public void Clear()
    {
        _packets.Clear();
        Bytes = 0;
    }

    private SentPacket Remove(int at)
    {
        var packet = _packets[at];
        _packets.RemoveAt(at);
        Bytes -= packet.WireBytes;
        return packet;
    }
}
