using System.Diagnostics.CodeAnalysis;
using CmvcStream.Core.Media;

namespace CmvcStream.Core.Control;

/// <summary>
/// One direction of a constrained link: a queue, a serialiser of a fixed rate, a delay. Pure and seeded: the caller brings time and
/// asks what has come out, so that a tool runs it on real sockets and a test runs minutes of it in a millisecond. Everything that
/// shares the direction goes through one model. Not safe from several threads.
/// </summary>
/// <remarks>
/// Datagrams: <see cref="Offer"/>, which drops at the tail. Streams: wait until <see cref="HasRoom"/> (ask again at
/// <see cref="NextDeparture"/>), then offer. What is under way needs no bound of its own where there is a rate: it is rate times delay.
/// Packets are timed one by one as they reach the head of the queue, so a rate that changes meanwhile has one place to go.
/// </remarks>
/// <typeparam name="T">What travels: bytes, a message, a handle.</typeparam>
public sealed class LinkModel<T>
{
    private readonly Queue<Packet> _waiting = new();
    private readonly Queue<(Packet Packet, MediaTime Due)> _underWay = new();
    private readonly LinkRateMeter _meter = new();
    private readonly Random _random;

    private MediaTime _now, _headStart, _headDone, _lastDue;
    private long _headFraction; // what _headDone was rounded down by, in microseconds / rate
    private long _offered, _delivered, _dropped;
    private DataSize _offeredBytes, _deliveredBytes, _droppedBytes, _queued, _queueHigh;

    /// <exception cref="ArgumentException">The settings are out of range.</exception>
    public LinkModel(LinkSettings settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        settings.Validate();
        Settings = settings;
        _random = new(settings.Seed);
    }

    public LinkSettings Settings { get; }

    /// <summary>When the packet that is being sent will have left the queue; null when nothing waits.</summary>
    public MediaTime? NextDeparture => _waiting.Count > 0 ? _headDone : null;

    /// <summary>When <see cref="TryDeliver"/> has something next; null when the link is empty.</summary>
    public MediaTime? NextDelivery =>
        _underWay.TryPeek(out var first) ? first.Due
        : _waiting.TryPeek(out var head) ? DueOf(head)
        : null;

    public LinkCounters Counters =>
        new(_offered, _offeredBytes, _delivered, _deliveredBytes, _dropped, _droppedBytes, _queued, _queueHigh, _meter.Peak);

    /// <summary>Whether <see cref="Offer"/> at this time would take a packet of this size (bytes on the wire).</summary>
    /// <exception cref="ArgumentOutOfRangeException">Time runs backwards.</exception>
    public bool HasRoom(MediaTime now, DataSize wireBytes)
    {
        Advance(now);
        return Fits(wireBytes);
    }

    /// <summary>Brings a packet to the link; false when the queue is full and the packet is dropped and counted.</summary>
    /// <param name="now">Not before any time given earlier.</param>
    /// <param name="wireBytes">All bytes that the link carries for it, headers included.</param>
    /// <param name="payload">What comes out again at <see cref="TryDeliver"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">Time runs backwards, or the size is not positive.</exception>
    public bool Offer(MediaTime now, DataSize wireBytes, T payload)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(wireBytes.Bytes, nameof(wireBytes));
        Advance(now);
        _offered++;
        _offeredBytes += wireBytes;
        if (!Fits(wireBytes))
        {
            _dropped++;
            _droppedBytes += wireBytes;
            return false;
        }

        _waiting.Enqueue(new(payload, wireBytes, DrawDelay()));
        _queued += wireBytes;
        _queueHigh = new(Math.Max(_queueHigh.Bytes, _queued.Bytes));
        if (_waiting.Count == 1)
            StartHead(now);
        Advance(now); // without a rate it has left already
        return true;
    }

    /// <summary>Takes out what has arrived by now, one packet a call, in the order in which they were offered.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Time runs backwards.</exception>
    public bool TryDeliver(MediaTime now, [MaybeNullWhen(false)] out T payload)
    {
        Advance(now);
        if (!_underWay.TryPeek(out var first) || first.Due > now)
        {
            payload = default;
            return false;
        }

        _underWay.Dequeue();
        _delivered++;
        _deliveredBytes += first.Packet.Size;
        payload = first.Packet.Payload;
        return true;
    }

    private bool Fits(DataSize size) => _waiting.Count == 0 || _queued.Bytes + size.Bytes <= Settings.Queue.Bytes;

    private void Advance(MediaTime now)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(now, _now);
        _now = now;
        while (_waiting.TryPeek(out var head) && _headDone <= now)
        {
            var due = DueOf(head);
            _waiting.Dequeue();
            _queued -= head.Size;
            _meter.Add(_headStart, _headDone, head.Size);
            _underWay.Enqueue((head, due));
            _lastDue = due;
            if (_waiting.Count > 0)
                StartHead(_headDone);
        }
    }

    /// <summary>Begins to send the first packet in the queue, exactly: fractions of a microsecond are carried to the next one.</summary>
    private void StartHead(MediaTime start)
    {
        if (start > _headDone)
            _headFraction = 0; // the link was idle
        _headStart = start;
        _headDone = start;
        if (Settings.Rate is not { } rate)
            return;
        var scaled = (Int128)_waiting.Peek().Size.Bytes * 8_000_000 + _headFraction;
        _headDone += new MediaTime((long)(scaled / rate.BitsPerSecond));
        _headFraction = (long)(scaled % rate.BitsPerSecond);
    }

    /// <summary>When the packet at the head arrives: never before the one ahead of it, whatever the jitter.</summary>
    private MediaTime DueOf(Packet head)
    {
        var due = _headDone + head.Delay;
        return due < _lastDue ? _lastDue : due;
    }

    private MediaTime DrawDelay() => Settings.Jitter == MediaTime.Zero
        ? Settings.Delay
        : Settings.Delay + new MediaTime(_random.NextInt64(-Settings.Jitter.Microseconds, Settings.Jitter.Microseconds + 1));

    private readonly record struct Packet(T Payload, DataSize Size, MediaTime Delay);
}
