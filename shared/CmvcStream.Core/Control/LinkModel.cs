using System.Diagnostics.CodeAnalysis;
using CmvcStream.Core.Diagnostics;
using CmvcStream.Core.Media;

namespace CmvcStream.Core.Control;

/// <summary>
/// One direction of a constrained link: a queue, a wire of a fixed rate or with a trace's opportunities, a delay, and what goes wrong on the
/// way. Pure and seeded: the caller brings time and asks what has come out, so that a tool runs it on real sockets and a test runs
/// minutes of it in a millisecond. Everything that shares the direction goes through one model. Not safe from several threads.
/// </summary>
/// <remarks>
/// Datagrams: <see cref="Offer"/>, which drops at the tail. TCP: a <see cref="LinkStream{T}"/> for each connection, from <see cref="OpenStream"/>;
/// one that never loses may as well wait until <see cref="HasRoom"/> (ask again at <see cref="NextDeparture"/>), then offer. Of datagrams, at
/// most <see cref="MostUnderWay"/> are under way, which matters where there is no rate; with one it is rate times delay.
/// Packets are timed one by one as they reach the head of the queue, so a rate that changes meanwhile has one place to go. What happens in
/// between two calls happens in the order of its times, so the link is the same however often it is asked.
/// </remarks>
/// <typeparam name="T">What travels: bytes, a message, a handle.</typeparam>
public sealed class LinkModel<T>
{
    /// <summary>How long a packet that is to be overtaken waits for that, on top of the time of 1500 bytes.</summary>
    public static readonly MediaTime OvertakenWithin = MediaTime.FromSeconds(1);

    /// <summary>Datagrams are dropped, as by a full queue, when so much has left the queue and has not come out.</summary>
    public static readonly DataSize MostUnderWay = new(64_000_000);

    private readonly Queue<LinkPacket<T>> _waiting = new();
    private readonly Queue<LinkPacket<T>> _passed = new(); // they go on when the next packet has overtaken them
    private readonly PriorityQueue<LinkPacket<T>, (long Due, long Order)> _underWay = new();
    private readonly PriorityQueue<LinkPacket<T>, (long At, long Order)> _timers = new();
    private readonly Stack<LinkPacket<T>> _spare = new();
    private readonly LinkRateMeter _meter = new();
    private readonly LatencyHistogram _queueDelay = new();
    private readonly Random _random, _faults;

    private LinkPacket<T>? _copy; // is being sent a second time, ahead of those that wait
    private MediaTime _now, _headStart, _headDone, _lastDue, _passedUntil;
    private Int128 _headWork; // what is left of the packet at the head, seen from _headFrom
    private MediaTime _headFrom;
    private bool _headBegun, _headCut, _badState;
    private long _headOpportunity, _nextOpportunity; // the last one that the head takes; the first one that is free
    private Int128 _headCarry, _carry; // work that was rounded away, or the rest of an opportunity: for a packet that follows at once
    private long _order, _offered, _delivered, _dropped, _lost, _duplicated, _reordered, _sentAgain;
    private DataSize _offeredBytes, _deliveredBytes, _droppedBytes, _lostBytes, _sentAgainBytes, _queued, _queueHigh, _away;

    /// <exception cref="ArgumentException">The settings are out of range.</exception>
    public LinkModel(LinkSettings settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        settings.Validate();
        Settings = settings;
        _random = new(settings.Seed);
        _faults = new(settings.Seed ^ 0x5EED); // apart, so that jitter is the same with and without loss
    }

    /// <summary>What the link is like now.</summary>
    public LinkSettings Settings { get; private set; }

    /// <summary>When the packet that is being sent will have left the queue; null when nothing waits.</summary>
    public MediaTime? NextDeparture => Head is null ? null : _headDone;

    /// <summary>
    /// The earliest time at which <see cref="TryDeliver"/> has something; null when the link is empty. Where packets are lost there may be
    /// nothing at that time after all: ask again then.
    /// </summary>
    public MediaTime? NextDelivery
    {
        get
        {
            var next = _underWay.TryPeek(out _, out var first) ? first.Due : long.MaxValue;
            if (Head is { } head)
                next = Math.Min(next, DueOf(head).Microseconds);
            if (_timers.TryPeek(out _, out var timer))
                next = Math.Min(next, timer.At);
            if (_passed.Count > 0)
                next = Math.Min(next, _passedUntil.Microseconds);
            return next == long.MaxValue ? null : new(next);
        }
    }

    public LinkCounters Counters =>
        new(_offered, _offeredBytes, _delivered, _deliveredBytes, _dropped, _droppedBytes, _queued, _queueHigh, _meter.Peak)
        {
            LostPackets = _lost,
            LostBytes = _lostBytes,
            DuplicatedPackets = _duplicated,
            ReorderedPackets = _reordered,
            RetransmittedPackets = _sentAgain,
            RetransmittedBytes = _sentAgainBytes,
        };

    /// <summary>
    /// How long packets were in the queue in milliseconds, the time that their own sending took included, of the whole run; null when none
    /// has left it. The delay of the link comes on top.
    /// </summary>
    public Percentiles? QueueDelay => _queueDelay.Percentiles();

    private LinkPacket<T>? Head => _copy ?? (_waiting.TryPeek(out var head) ? head : null);

    /// <summary>
    /// Makes the link another one from now on. What has left the queue arrives as it would have; what is being sent goes on with what is left
    /// of it; what waits stays, even in a shorter queue. The seed stays what it was.
    /// </summary>
    /// <exception cref="ArgumentException">The settings are out of range; the link is as it was.</exception>
    /// <exception cref="ArgumentOutOfRangeException">Time runs backwards.</exception>
    public void Change(MediaTime now, LinkSettings settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        settings.Validate();
        Advance(now);
        if (Head is not null)
            SettleHead(now);
        if (settings.Trace != Settings.Trace)
            _nextOpportunity = _headOpportunity = 0; // numbered anew
        _badState &= settings.LossBurst is not null;
        Settings = settings;
        if (Head is not null)
            TimeHead();
        Advance(now);
    }

    /// <summary>A stream of its own for one direction of one TCP connection.</summary>
    /// <param name="handshake">Its first segment is a SYN, whose timer knows no round trip yet.</param>
    public LinkStream<T> OpenStream(bool handshake = false) => new(this, handshake);

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
    /// <param name="payload">What comes out again at <see cref="TryDeliver"/>; twice, where packets are doubled.</param>
    /// <exception cref="ArgumentOutOfRangeException">Time runs backwards, or the size is not positive.</exception>
    public bool Offer(MediaTime now, DataSize wireBytes, T payload)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(wireBytes.Bytes, nameof(wireBytes));
        Advance(now);
        if (Fits(wireBytes) && _away.Bytes + wireBytes.Bytes <= MostUnderWay.Bytes)
        {
            Enqueue(now, Rent(payload, wireBytes, stream: null));
            Advance(now); // without a rate it has left already
            return true;
        }

        _offered++;
        _offeredBytes += wireBytes;
        _dropped++;
        _droppedBytes += wireBytes;
        return false;
    }

    /// <summary>Takes out what has arrived by now, one packet a call, in the order of arrival.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Time runs backwards.</exception>
    public bool TryDeliver(MediaTime now, [MaybeNullWhen(false)] out T payload)
    {
        Advance(now);
        while (_underWay.TryPeek(out var packet, out var key) && key.Due <= now.Microseconds)
        {
            _underWay.Dequeue();
            _delivered++;
            _deliveredBytes += packet.Size;
            _away -= packet.Size;
            var wanted = packet.Stream is null || (!packet.IsCopy && !packet.Stream.IsClosed);
            payload = packet.Payload!;
            Recycle(packet);
            if (wanted)
                return true;
        }

        payload = default;
        return false;
    }

    /// <summary>For streams: a segment, where there is room.</summary>
    internal bool TryEnqueue(MediaTime now, DataSize wireBytes, T payload, LinkStream<T> stream)
    {
        Advance(now);
        if (!Fits(wireBytes))
            return false;
        var packet = Rent(payload, wireBytes, stream);
        stream.Opened(packet);
        Enqueue(now, packet);
        Advance(now);
        return true;
    }

    /// <summary>For streams: a segment comes out, at a time.</summary>
    internal void Send(LinkPacket<T> packet, MediaTime due)
    {
        _away += packet.Size;
        _underWay.Enqueue(packet, (due.Microseconds, _order++));
    }

    /// <summary>For streams: a lost segment is sent again, at a time.</summary>
    internal void SendAgain(LinkPacket<T> packet, MediaTime at)
    {
        packet.SentAgainAt = at;
        _timers.Enqueue(packet, (at.Microseconds, _order++));
    }

    private bool Fits(DataSize size) => _waiting.Count == 0 || _queued.Bytes + size.Bytes <= Settings.Queue.Bytes;

    private void Advance(MediaTime now)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(now, _now);
        _now = now;
        while (true)
        {
            var departure = Head is null ? long.MaxValue : _headDone.Microseconds;
            var timer = _timers.TryPeek(out _, out var first) ? first.At : long.MaxValue;
            var passed = _passed.Count == 0 ? long.MaxValue : _passedUntil.Microseconds;
            if (Math.Min(departure, Math.Min(timer, passed)) > now.Microseconds)
                return;
            if (departure <= timer && departure <= passed)
                Depart();
            else if (timer <= passed)
                FireTimer(_timers.Dequeue(), new(timer));
            else
                ReleasePassed(_passedUntil);
        }
    }

    private void Enqueue(MediaTime now, LinkPacket<T> packet)
    {
        _offered++;
        _offeredBytes += packet.Size;
        packet.Queued = now;
        packet.Jitter = DrawJitter();
        _waiting.Enqueue(packet);
        _queued += packet.Size;
        _queueHigh = new(Math.Max(_queueHigh.Bytes, _queued.Bytes));
        if (Head == packet)
            StartHead(now);
    }

    /// <summary>The head has been sent, or cut off by an outage.</summary>
    private void Depart()
    {
        var (packet, done) = (Head!, _headDone);
        if (_headCut)
            SettleHead(done);
        (_nextOpportunity, _carry) = (Math.Max(_nextOpportunity, _headOpportunity), _headCarry);
        _meter.Add(_headStart, done, _headCut ? packet.Size - new DataSize(Math.Clamp((long)(_headWork / LinkWork.Byte), 0, packet.Size.Bytes)) : packet.Size);
        if (packet == _copy)
        {
            _copy = null;
        }
        else
        {
            _waiting.Dequeue();
            _queued -= packet.Size;
            _queueDelay.Add(done - packet.Queued);
        }

        if (_headCut || (!packet.IsCopy && DrawLoss()))
            Lose(packet, done);
        else
            Land(packet, DueOf(packet));
        if (Head is not null)
            StartHead(done);
    }

    private void Lose(LinkPacket<T> packet, MediaTime at)
    {
        _lost++;
        _lostBytes += packet.Size;
        if (packet.Stream is { IsClosed: false } stream && !packet.IsCopy)
            stream.Lose(packet, at);
        else
            Recycle(packet);
    }

    private void Land(LinkPacket<T> packet, MediaTime due)
    {
        _lastDue = due;
        if (!packet.IsCopy && Draw(Settings.Duplicate))
        {
            _copy = Rent(packet.Payload!, packet.Size, packet.Stream);
            _copy.IsCopy = true;
            _copy.Jitter = packet.Jitter;
            _offered++;
            _offeredBytes += packet.Size;
            _duplicated++;
        }
        else if (!packet.IsCopy && Draw(Settings.Reorder))
        {
            if (_passed.Count == 0)
                _passedUntil = due + OvertakenWithin + (Settings.MeanRate?.TimeFor(new(LinkTrace.OpportunityBytes)) ?? default);
            _passed.Enqueue(packet);
            return;
        }

        Arrive(packet, due);
        _reordered += _passed.Count;
        ReleasePassed(due);
    }

    private void ReleasePassed(MediaTime due)
    {
        while (_passed.TryDequeue(out var packet))
            Arrive(packet, due);
    }

    private void Arrive(LinkPacket<T> packet, MediaTime due)
    {
        if (packet.Stream is { IsClosed: false } stream && !packet.IsCopy)
            stream.Arrive(packet, due);
        else
            Send(packet, due);
    }

    private void FireTimer(LinkPacket<T> packet, MediaTime at)
    {
        if (packet.SentAgainAt != at)
            return; // it was sent again earlier
        packet.SentAgainAt = null;
        if (packet.Stream is not { IsClosed: false } stream)
        {
            Recycle(packet);
        }
        else if (stream.Fire(packet, at) is { } next)
        {
            SendAgain(packet, next);
        }
        else
        {
            _sentAgain++;
            _sentAgainBytes += packet.Size;
            Enqueue(at, packet);
        }
    }

    /// <summary>Begins to send the packet at the head, exactly: fractions of a microsecond are carried to the next one.</summary>
    private void StartHead(MediaTime start)
    {
        if (start > _headDone)
            _carry = 0; // the link was idle
        _headFrom = start;
        _headWork = ((Int128)Head!.Size.Bytes * LinkWork.Byte) + _carry;
        _headBegun = false;
        TimeHead();
    }

    /// <summary>When the head is done with, from what is left of it and what the link is like now.</summary>
    private void TimeHead()
    {
        var from = Settings.UpFrom(_headFrom);
        if (_headBegun && from > _headFrom)
        {
            Cut(_headFrom); // an outage that has just been asked for
            return;
        }

        while (true)
        {
            var outage = Settings.NextOutage(from);
            var (begin, done) = Work(from);
            if (begin >= outage && !_headBegun)
            {
                from = Settings.UpFrom(outage);
                continue;
            }

            if (!_headBegun)
                _headStart = begin;
            (_headDone, _headCut) = (done, false);
            if (done > outage)
                Cut(outage);
            return;
        }
    }

    private void Cut(MediaTime at) => (_headDone, _headCut, _headCarry, _headOpportunity) = (at, true, 0, 0);

    /// <summary>When the wire takes up what is left of the head and when it has done it, if nothing comes in between.</summary>
    private (MediaTime Begin, MediaTime Done) Work(MediaTime from)
    {
        _headCarry = 0;
        if (Settings.Trace is { } trace)
        {
            if (_headWork <= 0) // what was left of an opportunity is enough
            {
                _headCarry = _headWork;
                return (from, from);
            }

            var number = Math.Max(_nextOpportunity, trace.FirstFrom(from));
            var takes = (long)((_headWork + trace.Work - 1) / trace.Work);
            _headCarry = _headWork - ((Int128)takes * trace.Work);
            _headOpportunity = number + takes;
            return (trace.TimeOf(number), trace.TimeOf(number + takes - 1));
        }

        if (Settings.Rate is not { } rate)
            return (from, from);
        _headCarry = _headWork % rate.BitsPerSecond;
        return (from, from + new MediaTime((long)(_headWork / rate.BitsPerSecond)));
    }

    /// <summary>Takes off the head what has been done of it by a time at which it is still being sent.</summary>
    private void SettleHead(MediaTime now)
    {
        var since = _headBegun ? _headFrom : _headStart;
        _headFrom = now;
        if (since >= now)
            return;
        _headBegun = true;
        if (Settings.Trace is { } trace)
        {
            var first = Math.Max(_nextOpportunity, trace.FirstFrom(since));
            _nextOpportunity = Math.Max(first, trace.FirstFrom(now));
            _headWork -= (Int128)(_nextOpportunity - first) * trace.Work;
        }
        else if (Settings.Rate is { } rate)
        {
            _headWork -= (Int128)(now - since).Microseconds * rate.BitsPerSecond;
        }
    }

    /// <summary>When the packet at the head arrives: never before the one ahead of it, whatever the jitter.</summary>
    private MediaTime DueOf(LinkPacket<T> head)
    {
        var delay = Settings.Delay + head.Jitter;
        var due = delay > MediaTime.Zero ? _headDone + delay : _headDone;
        return due < _lastDue ? _lastDue : due;
    }

    private MediaTime DrawJitter() => Settings.Jitter == MediaTime.Zero
        ? MediaTime.Zero
        : new MediaTime(_random.NextInt64(-Settings.Jitter.Microseconds, Settings.Jitter.Microseconds + 1));

    private bool Draw(double share) => share > 0 && _faults.NextDouble() < share;

    private bool DrawLoss()
    {
        if (Settings.Loss == 0 || Settings.LossBurst is not { } burst)
            return Draw(Settings.Loss);
        var leave = 1 / burst; // for a share of Loss in the bad state, it is entered with leave * Loss / (1 - Loss)
        _badState = _badState ? _faults.NextDouble() >= leave : _faults.NextDouble() < leave * Settings.Loss / (1 - Settings.Loss);
        return _badState;
    }

    private LinkPacket<T> Rent(T payload, DataSize size, LinkStream<T>? stream)
    {
        if (!_spare.TryPop(out var packet))
            packet = new();
        (packet.Payload, packet.Size, packet.Stream) = (payload, size, stream);
        return packet;
    }

    private void Recycle(LinkPacket<T> packet)
    {
        packet.Clear();
        if (_spare.Count < 256)
            _spare.Push(packet);
    }
}
