using CmvcStream.Core.Control;
using CmvcStream.Core.Media;

namespace CmvcStream.Throttle;

/// <summary>Something on its way through the link, and what happens when it arrives; that must be quick and must not throw.</summary>
internal sealed record Segment(int WireBytes, int PayloadBytes, Action Arrive);

/// <summary>Runs one direction's <see cref="LinkModel{T}"/> in real time for all connections; safe from several threads.</summary>
internal sealed class LinkDriver(LinkSettings settings, RelayClock clock) : IDisposable
{
    private readonly LinkModel<Segment> _model = new(settings);
    private readonly Lock _lock = new();
    private readonly SemaphoreSlim _turn = new(1);
    private readonly SemaphoreSlim _filled = new(0);
    private readonly List<Segment> _due = [];
    private long _payload;

    public LinkSettings Settings => settings;

    public LinkCounters Counters
    {
        get
        {
            lock (_lock)
            {
                _model.HasRoom(clock.Now, default); // brings the counters up to now
                return _model.Counters;
            }
        }
    }

    /// <summary>Bytes of payload delivered.</summary>
    public long PayloadBytes => Interlocked.Read(ref _payload);

    /// <summary>
    /// Waits for room, first come first served, then sends what <paramref name="take"/> gives, if anything.
    /// </summary>
    /// <param name="wireBytes">How much room is wanted by now: it may grow while others are served.</param>
    /// <param name="take">Makes the segment, no larger than was last wanted.</param>
    /// <param name="cancellationToken">Gives up the place in the line.</param>
    public async Task SendAsync(Func<int> wireBytes, Func<Segment?> take, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            while (TrySend(wireBytes, take) is { } again)
                await clock.DelayUntil(again, cancellationToken);
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Sends a segment without payload, and returns when it has arrived at the far end.</summary>
    public async Task TransferAsync(int wireBytes, CancellationToken cancellationToken)
    {
        var arrived = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await SendAsync(() => wireBytes, () => new(wireBytes, 0, arrived.SetResult), cancellationToken);
        await arrived.Task.WaitAsync(cancellationToken);
    }

    /// <summary>Sends at once, or drops (and counts) when the queue is full: for acknowledgements, as a later one covers it.</summary>
    public void Offer(Segment segment)
    {
        lock (_lock)
            OfferLocked(clock.Now, segment);
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
            }

            foreach (var segment in _due)
            {
                Interlocked.Add(ref _payload, segment.PayloadBytes);
                segment.Arrive();
            }

            _due.Clear();
            // Order is kept, so nothing offered meanwhile can be due earlier than what is known.
            if (next is { } at)
                await clock.DelayUntil(at, cancellationToken);
            else
                await _filled.WaitAsync(cancellationToken);
        }
    }

    public void Dispose()
    {
        _turn.Dispose();
        _filled.Dispose();
    }

    /// <summary>When to try again, or null when done.</summary>
    private MediaTime? TrySend(Func<int> wireBytes, Func<Segment?> take)
    {
        lock (_lock)
        {
            var now = clock.Now;
            if (!_model.HasRoom(now, new(wireBytes())))
                return _model.NextDeparture;
            if (take() is { } segment)
                OfferLocked(now, segment);
            return null;
        }
    }

    private void OfferLocked(MediaTime now, Segment segment)
    {
        var wasEmpty = _model.NextDelivery is null;
        if (_model.Offer(now, new(segment.WireBytes), segment) && wasEmpty)
            _filled.Release();
    }
}
