using CmvcStream.Core.Media;

namespace CmvcStream.Core.Control;

/// <summary>
/// One direction of one TCP connection over a <see cref="LinkModel{T}"/>: what is sent arrives whole and in order. A segment that the link
/// loses is sent again, over the same link and at its cost, and all that is behind it in this stream arrives no earlier than it does; other
/// streams are not held up. What arrives comes out of the model's <see cref="LinkModel{T}.TryDeliver"/>.
/// </summary>
/// <remarks>
/// <para>A lost segment is sent again at the earlier of two times.
/// Fast retransmission (RFC 5681): when the third later segment of the stream has arrived and word of it has come back; not for one
/// that was sent again already.
/// Timeout (RFC 6298 with Linux's least variance): SRTT + max(200 ms, 4 RTTVAR) after it was sent, or after the acknowledgement of what was
/// before it, if that came later; doubled each time that it is lost again, up to 120 s. A timer that fires during an outage
/// sends into it, so that it doubles and nothing is carried.</para>
/// <para>Round trips are measured on segments that were sent once, from the time that they are brought to the link (so the queue counts) to the
/// arrival and the link's delay back. The first one is the link's own (twice the delay and the segment's own time), so the timer
/// begins with three times that; a stream that begins with a handshake has 1 s until its first segment has arrived.</para>
/// <para>A segment that was sent again joins the end of the queue even when that is full: it is one that had been let in before. Not modelled:
/// congestion windows, tail loss probes, timers that fire for nothing because the queue grew, lost acknowledgements.</para>
/// </remarks>
/// <typeparam name="T">What travels.</typeparam>
public sealed class LinkStream<T>
{
    private const int FastRetransmitAfter = 3;
    private static readonly MediaTime LeastVariance = MediaTime.FromMilliseconds(200);
    private static readonly MediaTime LongestTimeout = MediaTime.FromSeconds(120);
    private static readonly MediaTime HandshakeTimeout = MediaTime.FromSeconds(1);

    private readonly LinkModel<T> _link;
    private readonly bool _handshake;
    private readonly Queue<LinkPacket<T>> _open = new(); // in order: sent, or arrived behind one that has not
    private MediaTime _lastArrival = new(long.MinValue / 2);
    private MediaTime _roundTrip, _variance;
    private bool _measured;

    internal LinkStream(LinkModel<T> link, bool handshake) => (_link, _handshake) = (link, handshake);

    /// <summary>Nothing of it is wanted any more.</summary>
    public bool IsClosed { get; private set; }

    /// <summary>Segments that have been sent and have not come out, those that wait behind a lost one included.</summary>
    public int OpenSegments => _open.Count;

    /// <summary>
    /// Sends a segment if the queue has room; else false, and nothing has happened: TCP leaves the bytes with the sender. Ask again at
    /// <see cref="LinkModel{T}.NextDeparture"/>.
    /// </summary>
    /// <param name="now">Not before any time given to the link earlier.</param>
    /// <param name="wireBytes">All bytes that the link carries for it, headers included: see <see cref="LinkTcp.WireSize"/>.</param>
    /// <param name="payload">What comes out again at the link's TryDeliver.</param>
    /// <exception cref="ArgumentOutOfRangeException">Time runs backwards, or the size is not positive.</exception>
    public bool TrySend(MediaTime now, DataSize wireBytes, T payload)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(wireBytes.Bytes, nameof(wireBytes));
        ObjectDisposedException.ThrowIf(IsClosed, this);
        return _link.TryEnqueue(now, wireBytes, payload, this);
    }

    /// <summary>The connection is gone: nothing of it is sent again or comes out. What waits in the queue is still carried.</summary>
    public void Close()
    {
        IsClosed = true;
        _open.Clear();
    }

    /// <summary>A segment is about to be sent.</summary>
    internal void Opened(LinkPacket<T> packet) => _open.Enqueue(packet);

    /// <summary>How long the timer of a segment of this size runs when it is sent for the first time.</summary>
    internal MediaTime Timeout(DataSize size)
    {
        if (_measured)
            return Limit(_roundTrip + Longer(LeastVariance, new(4 * _variance.Microseconds)));
        if (_handshake)
            return HandshakeTimeout;
        var settings = _link.Settings;
        var own = new MediaTime(2 * settings.Delay.Microseconds) + (settings.MeanRate?.TimeFor(size) ?? default);
        return Limit(own + Longer(LeastVariance, new(2 * own.Microseconds))); // RTTVAR begins as half a round trip
    }

    /// <summary>A segment has left the link and arrives at a time; those that it and others have held up come out then as well.</summary>
    internal void Arrive(LinkPacket<T> packet, MediaTime at)
    {
        packet.Arrival = at;
        if (packet.Sendings == 1)
            Measure(at + _link.Settings.Delay - packet.Queued);
        foreach (var earlier in _open)
        {
            if (earlier == packet)
                break;
            if (earlier is { SentAgainAt: { } timer, Sendings: 1, Passed: < FastRetransmitAfter } && ++earlier.Passed == FastRetransmitAfter)
            {
                var told = at + _link.Settings.Delay;
                if (told >= timer)
                    continue;
                earlier.IsFast = true;
                _link.SendAgain(earlier, told);
            }
        }

        while (_open.TryPeek(out var first) && first.Arrival is { } arrival)
        {
            _open.Dequeue();
            _lastArrival = Longer(_lastArrival, arrival);
            _link.Send(first, _lastArrival);
        }
    }

    /// <summary>The link has lost a segment, at a time.</summary>
    internal void Lose(LinkPacket<T> packet, MediaTime at)
    {
        var timer = packet.Sendings == 1
            ? Longer(packet.Queued, _lastArrival + _link.Settings.Delay) + Timeout(packet.Size)
            : packet.Queued + Doubled(packet);
        _link.SendAgain(packet, Longer(timer, at));
    }

    /// <summary>A segment's timer fires; the time of the next one when this one is in vain.</summary>
    internal MediaTime? Fire(LinkPacket<T> packet, MediaTime at)
    {
        packet.Sendings++;
        if (!packet.IsFast)
            packet.Doublings++;
        packet.IsFast = false;
        return _link.Settings.IsUp(at) ? null : at + Doubled(packet);
    }

    private MediaTime Doubled(LinkPacket<T> packet) =>
        Limit(new(Timeout(packet.Size).Microseconds << Math.Min(packet.Doublings, 20)));

    private void Measure(MediaTime roundTrip)
    {
        if (!_measured)
        {
            (_roundTrip, _variance, _measured) = (roundTrip, new(roundTrip.Microseconds / 2), true);
            return;
        }

        var off = Math.Abs((_roundTrip - roundTrip).Microseconds);
        _variance = new(((3 * _variance.Microseconds) + off) / 4);
        _roundTrip = new(((7 * _roundTrip.Microseconds) + roundTrip.Microseconds) / 8);
    }

    private static MediaTime Limit(MediaTime timeout) => timeout < LongestTimeout ? timeout : LongestTimeout;

    private static MediaTime Longer(MediaTime a, MediaTime b) => a > b ? a : b;
}
