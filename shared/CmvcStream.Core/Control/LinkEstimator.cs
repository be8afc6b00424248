using CmvcStream.Core.Media;

namespace CmvcStream.Core.Control;

/// <summary>
/// Estimates what a link carries, from when packets left and when the receiver says they came. The signals are those of GCC (Carlucci et
/// al., "Congestion Control for Web Real-Time Communication", 2017): growth of delay, loss, arrivals. But GCC's filters need tens of packets
/// a second; here one comes a second, and takes most of it: on a link of 8 kbit/s 800 bytes are under way for 800 ms, 100 bytes for 100.
/// So every packet is a measurement of its own. The link is modelled as a server:
/// <code>service = arrival - max(sent + base, arrival of the packet before);   rate = bytes / service</code>
/// It holds whether the link is full or not, so nothing needs to be overloaded to be measured. Which rate and which base explain the packets, those
/// that came and the one that has not come yet, is <see cref="LinkBelief"/>'s matter.
/// </summary>
public sealed class LinkEstimator(Flight flight)
{
    /// <summary>Seconds: how long delays are remembered for the least of them.</summary>
    private const double RememberDelays = 60;

    /// <summary>Packets that arrive within this of each other were held up together: one measurement. Seconds.</summary>
    private const double Together = 0.012;

    // The estimate is the median; where these two quantiles differ by more than this factor, the link is not known well.
    private const double Median = 0.5, Low = 0.2, High = 0.8, WellKnown = 1.7;

    // Seconds overdue, from which on something is wrong; and where retransmissions are usual.
    private const double Late = 0.5, LateWhereLossy = 2.5;

    // Two stalls within this (seconds) make a lossy path; a packet that was held up with this probability is one.
    private const double LossyFor = 60, Stalled = 0.4;

    /// <summary>Seconds overdue, from which on that says something of the rate.</summary>
    private const double Telling = 0.3;

    private readonly LinkBelief _belief = new();
    private readonly Queue<(double At, double Delay)> _delays = new();
    private readonly List<SentPacket> _others = [];
    private readonly Queue<double> _stalls = new();
    private (double Bytes, double Sent, double? Last, double Elapsed)? _measured;
    private double? _rate;          // bytes a second
    private double? _lastArrival;   // seconds, receiver's clock
    private bool _late, _caughtUp;  // the last packet; and those behind it have come with it
    private uint _lastSequence;
    private MediaTime _lastSent;
    private double? _back;          // base + this: from sending to hearing of it, without the time of serialisation

    /// <summary>Packets that never came, on a path that loses some.</summary>
    public long LostPackets { get; private set; }

    /// <summary>Whether enough was measured.</summary>
    public bool Known { get; private set; }

    /// <summary>Until enough was measured: a first guess; null before the first report.</summary>
    public Bitrate? Guess => !Known && _rate is { } rate ? new((long)(rate * 8)) : null;

    /// <summary>From sending to hearing of it, without queues and the packet's own serialisation; null: not known.</summary>
    public MediaTime? RoundTrip => _back is { } back ? MediaTime.FromSeconds(Math.Max(_belief.Base + back, 0)) : null;

    /// <summary>How long the last packet waited for those before it, and for whatever else uses the link.</summary>
    public MediaTime Queueing { get; private set; }

    /// <summary>The link may have changed, and only the next packets will tell.</summary>
    public bool Unconfirmed { get; private set; }

    /// <summary>Something is late: the link may have become slower, and what is sent now would make it worse.</summary>
    public bool Doubtful(MediaTime now) => Lossy ? Overdue(now)?.By > LateWhereLossy : (_late && !_caughtUp) || Overdue(now)?.By > Late;

    /// <summary>Some packets were held up lately: TCP sends again what is lost on this path.</summary>
    public bool Lossy { get; private set; }

    /// <summary>Packets that were held up, rather than that the link was slow: retransmissions, fades.</summary>
    public long Stalls { get; private set; }

    /// <summary>A connection begins: clocks and paths may be others. What the link carried is remembered.</summary>
    public void Restart()
    {
        _delays.Clear();
        _belief.Restart();
        _others.Clear();
        (_measured, _lastArrival, _back, _late) = (null, null, null, false);
        Queueing = default;
    }

    /// <summary>Tells of packets that never came.</summary>
    public void Lost(int packets) => LostPackets += packets;

    /// <summary>Tells of bytes that used the link without being reported: acknowledgements, retransmissions.</summary>
    public void Unreported(MediaTime now, int wireBytes)
    {
        if (_lastArrival is not null)
            _others.Add(new(0, now, wireBytes));
    }

    /// <summary>Tells of a packet that has come.</summary>
    /// <param name="now">When that was heard.</param>
    /// <param name="packet">As sent.</param>
    /// <param name="arrival">By the receiver's clock.</param>
    public void Arrived(MediaTime now, SentPacket packet, MediaTime arrival)
    {
        if (packet.Sequence < _lastSequence)
            return;     // overtaken by a later one: says nothing
        double at = arrival.Seconds, sent = packet.SentAt.Seconds;
        var back = now.Seconds - at;
        _back = _back is { } b ? Math.Min(back, b + 0.02) : back;
        _delays.Enqueue((now.Seconds, at - sent));
        while (_delays.Peek().At < now.Seconds - RememberDelays)
            _delays.Dequeue();
        var lost = _lastArrival is null ? [] : flight.Between(_lastSequence, packet.Sequence);
        // What left before the last packet was charged to it.
        _others.RemoveAll(o => o.SentAt <= _lastSent);
        SentPacket[] skipped = [.. lost.Concat(_others.Where(o => o.SentAt <= packet.SentAt)).OrderBy(p => p.SentAt)];
        var one = (Bytes: (double)packet.WireBytes, Sent: sent, Last: _lastArrival, Elapsed: at - (_lastArrival ?? at));
        var together = _measured is not null && one.Elapsed < Together && lost.Length == 0;
        if (!together || !_late)
        {
            if (together)
            {
                _belief.Undo();
                one = (_measured!.Value.Bytes + one.Bytes, _measured.Value.Sent, _measured.Value.Last, _measured.Value.Elapsed);
            }

            (_late, _caughtUp) = (LateBy(packet, at) > Late, false);
            _belief.Observe(one.Elapsed, _delays.Min(d => d.Delay), -_back.Value, one.Sent, one.Bytes, one.Last, at, skipped);
            NoteStall(now);
        }
        else if (!_caughtUp)
        {
            // It had been carried while the one before was held up.
            _belief.CaughtUp();
            _caughtUp = true;
            NoteStall(now);
        }

        Queueing = MediaTime.FromSeconds(Math.Max((_lastArrival ?? double.NegativeInfinity) - sent - _belief.Base, 0));
        (_measured, _lastArrival, _lastSequence, _lastSent) = (lost.Length == 0 ? one : null, at, packet.Sequence, packet.SentAt);
        _rate = _belief.Quantile(Median);
        Unconfirmed = _belief.Quantile(High) > WellKnown * _belief.Quantile(Low);
        Known |= !Unconfirmed;
    }

    /// <summary>What the link carries, as far as it is known.</summary>
    /// <param name="now">The sender's clock.</param>
    /// <param name="guess">While nothing is known.</param>
    public Bitrate Estimate(MediaTime now, Bitrate guess)
    {
        var rate = _rate ?? guess.BytesPerSecond;
        if (Overdue(now) is var (bytes, served, overdue) && overdue > Telling)
            rate = Math.Min(rate, _belief.Quantile(Median, bytes, served));
        return new((long)(rate * 8));
    }

    /// <summary>How long the oldest packet under way is overdue.</summary>
    public MediaTime OverdueFor(MediaTime now) => MediaTime.FromSeconds(Math.Max(Overdue(now)?.By ?? 0, 0));

    private void NoteStall(MediaTime now)
    {
        if (_belief.Held > Stalled)
        {
            Stalls++;
            _stalls.Enqueue(now.Seconds);
        }

        while (_stalls.TryPeek(out var first) && first < now.Seconds - LossyFor)
            _stalls.Dequeue();
        Lossy = _stalls.Count >= 2;
    }

    /// <summary>The oldest packet under way: its bytes, how long the link has had for them, and by how much longer that is than it should be.</summary>
    private (int Bytes, double Served, double By)? Overdue(MediaTime now)
    {
        if (flight.OldestAfter(_lastSequence) is not { } oldest || _rate is not { } rate || _back is not { } back)
            return null;
        var served = now.Seconds - back - Start(oldest);
        return served > 0 ? (oldest.WireBytes, served, served - (oldest.WireBytes / rate)) : null;
    }

    /// <summary>By how much longer than it should the link needed for a packet that has arrived.</summary>
    private double? LateBy(SentPacket packet, double at) => at - Start(packet) - (packet.WireBytes / _rate);

    /// <summary>When the link began with it, by the receiver's clock.</summary>
    private double Start(SentPacket packet) => Math.Max(packet.SentAt.Seconds + _belief.Base, _lastArrival ?? double.NegativeInfinity);
}
