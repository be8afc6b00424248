using CmvcStream.Core.Media;

namespace CmvcStream.Core.Control;

/// <summary>One packet in a <see cref="LinkModel{T}"/>; used again for another when it has come out.</summary>
internal sealed class LinkPacket<T>
{
    public T? Payload;
    public DataSize Size;

    /// <summary>When it came to the queue, the last time where it was sent again.</summary>
    public MediaTime Queued;

    /// <summary>What its delay differs by from the link's.</summary>
    public MediaTime Jitter;

    /// <summary>The stream whose segment it is; null for a datagram.</summary>
    public LinkStream<T>? Stream;

    /// <summary>Nobody waits for it at the far end: a second copy of a segment.</summary>
    public bool IsCopy;

    /// <summary>A segment's arrival; null until it is known. It may wait there for those before it.</summary>
    public MediaTime? Arrival;

    /// <summary>When a lost segment is sent again; null when it is not lost.</summary>
    public MediaTime? SentAgainAt;

    /// <summary>Its sendings, those that went into an outage included.</summary>
    public int Sendings = 1;

    /// <summary>How often its timer has doubled.</summary>
    public int Doublings;

    /// <summary>Segments behind it that have arrived since it was lost for the first time.</summary>
    public int Passed;

    /// <summary>It is sent again because of those, not because of its timer.</summary>
    public bool IsFast;

    public void Clear()
    {
        (Payload, Stream, IsCopy, Arrival, SentAgainAt) = (default, null, false, null, null);
        (Sendings, Doublings, Passed, IsFast) = (1, 0, 0, false);
    }
}
