using CmvcStream.Core.Control;
using CmvcStream.Core.Diagnostics;
using CmvcStream.Core.Media;

namespace CmvcStream.Throttle;

/// <summary>Something on its way through the link, and what happens when it arrives; that must be quick and must not throw.</summary>
internal sealed record Segment(int WireBytes, int PayloadBytes, Action Arrive)
{
    /// <summary>UDP, not TCP.</summary>
    public bool IsDatagram { get; init; }
}

/// <summary>Runs one direction's <see cref="LinkModel{T}"/> in real time for all connections; safe from several threads.</summary>
internal sealed class LinkDriver(LinkSettings settings, RelayClock clock) : IDisposable
{
    private readonly LinkModel<Segment> _model = new(settings);
    private readonly Lock _lock = new();
    private readonly SemaphoreSlim _turn = new(1);
    private readonly Alarm _delivery = new(clock), _room = new(clock);
    private readonly List<Segment> _due = [];
    private volatile LinkSettings _settings = settings;
    private long _payload, _datagrams, _datagramBytes;

    public LinkSettings Settings => _settings;

    /// <summary>Bytes of payload delivered.</summary>
    public long PayloadBytes => Interlocked.Read(ref _payload);

    /// <summary>What of it all was UDP, with headers.</summary>
    public (long Packets, long Bytes) Datagrams => (Interlocked.Read(ref _datagrams), Interlocked.Read(ref _datagramBytes));

    public LinkState State
    {
        get
        {
            lock (_lock)
            {
                var now = clock.Now;
                _model.HasRoom(now, default); // brings the counters up to now
                return new(_model.Settings, _model.Counters, _model.QueueDelay, _model.Settings.IsUp(now));
            }
        }
    }

    /// <summary>Makes it another link from now on.</summary>
    /// <exception cref="ArgumentException">The settings are out of range; nothing has changed.</exception>
    public void Change(LinkSettings changed)
    {
        lock (_lock)
        {
            _model.Change(clock.Now, changed);
            _settings = changed;
        }

        _delivery.Ring();
        _room.Ring();
    }

    /// <summary>One direction of one TCP connection, from its SYN on.</summary>
    public LinkStream<Segment> OpenStream()
    {
        lock (_lock)
            return _model.OpenStream(handshake: true);
    }

    public void Close(LinkStream<Segment> stream)
    {
        lock (_lock)
            stream.Close();
    }

    /// <summary>
    /// Waits for room, first come first served, then sends what <paramref name="take"/> gives, if anything.
    /// </summary>
    /// <param name="stream">The connection's direction that it belongs to.</param>
    /// <param name="wireBytes">How much room is wanted by now: it may grow while others are served.</param>
    /// <param name="take">Makes the segment, no larger than was last wanted.</param>
    /// <param name="cancellationToken">Gives up the place in the line.</param>
    public async Task SendAsync(LinkStream<Segment> stream, Func<int> wireBytes, Func<Segment?> take, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            while (TrySend(stream, wireBytes, take) is { } again)
                await _room.WaitAsync(again, cancellationToken);
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Sends a segment without payload, and returns when it has arrived at the far end.</summary>
    public async Task TransferAsync(LinkStream<Segment> stream, int wireBytes, CancellationToken cancellationToken)
    {
        var arrived = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await SendAsync(stream, () => wireBytes, () => new(wireBytes, 0, arrived.SetResult), cancellationToken);
        await arrived.Task.WaitAsync(cancellationToken);
    }

    /// <summary>Sends at once, or drops (and counts) when the queue is full: datagrams, and acknowledgements, as a later one covers them.</summary>
    public void Offer(Segment segment)
    {
        lock (_lock)
        {
            if (_model.Offer(clock.Now, new(segment.WireBytes), segment))
                WakeLocked();
        }
    }

    /// <summary>Delivers what arrives, when it does, until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            MediaTime? next;
            lock (_lock)
            {
                while (_model.TryDeliver(clock.Now, out var segment))
                    _due.Add(segment);
                next = _model.NextDelivery;
                _delivery.Set(next);
            }

            foreach (var segment in _due)
                Arrive(segment);
            _due.Clear();
            await _delivery.WaitAsync(next, cancellationToken);
        }
    }

    public void Dispose()
    {
        _turn.Dispose();
        _delivery.Dispose();
        _room.Dispose();
    }

    private void Arrive(Segment segment)
    {
        Interlocked.Add(ref _payload, segment.PayloadBytes);
        if (segment.IsDatagram)
        {
            Interlocked.Increment(ref _datagrams);
            Interlocked.Add(ref _datagramBytes, segment.WireBytes);
        }

        segment.Arrive();
    }

    /// <summary>When to try again, or null when done.</summary>
    private MediaTime? TrySend(LinkStream<Segment> stream, Func<int> wireBytes, Func<Segment?> take)
    {
        lock (_lock)
        {
            var now = clock.Now;
            if (!_model.HasRoom(now, new(wireBytes())))
                return _model.NextDeparture;
            if (!stream.IsClosed && take() is { } segment)
            {
                stream.TrySend(now, new(segment.WireBytes), segment);
                WakeLocked();
            }

            return null;
        }
    }

    private void WakeLocked()
    {
        if (_model.NextDelivery is { } next)
            _delivery.NoLaterThan(next);
    }
}

/// <summary>What a link is like and what has gone through it, at one moment.</summary>
internal readonly record struct LinkState(LinkSettings Settings, LinkCounters Counters, Percentiles? QueueDelay, bool IsUp);
