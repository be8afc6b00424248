using CmvcStream.Core.Media;

namespace CmvcStream.Core.Control;

/// <summary>
/// Estimates what a link carries, from when packets left and when the receiver says they came. The signals are those of GCC (Carlucci et
/// al., "Congestion Control for Web Real-Time Communication", 2017): growth of delay, loss, arrivals. But GCC's filters need tens of packets
/// a second; here one comes a second, and takes most of it: on a link of 8 kbit/s 800 bytes are under way for 800 ms, 100 bytes for 100.
/// So every packet is a measurement of its own. The link is modelled as a server:
/// <code>service = arrival - max(sent + base, arrival of the packet before);   rate = bytes / service</code>
/// where base (propagation, and the difference of the clocks) is the least delay that small packets had lately. It holds whether the link is
/// full or not, so nothing needs to be overloaded to be measured.
/// </summary>
/// <remarks>
/// Three rules around it. One packet that took far longer than the rate explains may be a retransmission or a fade (what came behind it then
/// arrives at once), or the link has become slower (then the next is slow too, or does not come): it counts only when that is confirmed.
/// Two packets of different size that were far faster start the average anew. And when another packet is overdue after a slow one, the rate
/// cannot be more than what would explain that it has not come yet (<see cref="Estimate"/>).
/// </remarks>
public sealed class LinkEstimator(Flight flight)
{
    // Seconds: what the average is taken over at least (of service, not of time); how long delays are remembered for the base.
    private const double AverageOver = 2.5, RememberDelays = 40;
    private const int MostSamples = 24, LeastSamples = 3;

    /// <summary>Packets that arrive within this of each other were held up together: one measurement. Seconds.</summary>
    private const double Together = 0.012;

    /// <summary>Until something was measured the link is taken for so many times what it carries at least: most of a first round trip is not serialisation.</summary>
    public const int GuessedTimes = 4;

    /// <summary>Bytes a second that no link of this product has, by far.</summary>
    private const double Fastest = 25_000;

    /// <summary>Bytes a second: what is slower is not there.</summary>
    private const double Slowest = 30;

    // A packet is far slower or faster than the estimate beyond these factors of its rate.
    private const double Slow = 0.55, Fast = 1.6, HeldUp = 1.3;

    /// <summary>Less service than this says nothing of a faster link: seconds, the grain of timers and polls.</summary>
    private const double Grain = 0.004;

    // Seconds overdue, from which on something is wrong; and where retransmissions are usual.
    private const double Late = 0.5, LateWhereLossy = 1.5;

    /// <summary>Two stalls within this make a lossy path.</summary>
    private static readonly MediaTime LossyFor = MediaTime.FromSeconds(60);

    // Seconds overdue after a slow packet, so that it was no chance; and what of a longer silence counts.
    private const double ConfirmedAfter = 0.4, LongestServed = 5;

    private readonly Queue<(MediaTime At, double Delay, int Bytes)> _delays = new();
    private readonly List<(double Bytes, double Service)> _samples = [];
    private readonly Queue<MediaTime> _stalls = new();
    private (double Bytes, double Service)? _slow;
    private (MediaTime At, double Delay, int Bytes)? _early;
    private bool _heldUp, _sloped;
    private double? _rate;          // bytes a second
    private double? _lastArrival;   // seconds, receiver's clock
    private double _lastSent;
    private int _lastBytes;
    private uint _lastSequence;
    private double _base;           // seconds, difference of clocks included
    private double? _back;          // base + this: from sending to hearing of it, without the time of serialisation

    /// <summary>Packets that never came, on a path that loses some.</summary>
    public long LostPackets { get; private set; }

    /// <summary>Whether anything was measured yet.</summary>
    public bool Known => _samples.Count > 0;

    /// <summary>Until something was measured: what the link carries at least; null before the first report.</summary>
    public Bitrate? AtLeast => !Known && _rate is { } rate ? new((long)(rate * 8)) : null;

    /// <summary>From sending to hearing of it, without queues and the packet's own serialisation; null: not known.</summary>
    public MediaTime? RoundTrip => _back is { } back ? MediaTime.FromSeconds(Math.Max(_base + back, 0)) : null;

    /// <summary>How long the last packet waited for those before it, and for whatever else uses the link.</summary>
    public MediaTime Queueing { get; private set; }

    /// <summary>The last packet was far slower or faster than the estimate, and only the next will tell whether the link is.</summary>
    public bool Unconfirmed => _slow is not null || _early is not null;

    /// <summary>Something is late: the link may have become slower, and what is sent now would make it worse.</summary>
    public bool Doubtful(MediaTime now) => Lossy(now) ? Overdue(now)?.By > LateWhereLossy : _slow is not null || Overdue(now)?.By > Late;

    /// <summary>Packets were held up and came with those behind them, more than once lately: TCP sends again what is lost on this path.</summary>
    public bool Lossy(MediaTime now) => _stalls.Count >= 2 && now - _stalls.Peek() < LossyFor;

    /// <summary>Stalls that were told from a slower link: retransmissions, fades.</summary>
    public long Stalls { get; private set; }

    /// <summary>A connection begins: clocks and paths may be others. What the link carried is kept as a guess.</summary>
    public void Restart()
    {
        _delays.Clear();
        (_slow, _early, _lastArrival, _back, _heldUp) = (null, null, null, null, false);
        Queueing = default;
    }

    /// <summary>Tells of packets that never came.</summary>
    public void Lost(int packets) => LostPackets += packets;

    /// <summary>Tells of a packet that has come.</summary>
    /// <param name="now">When that was heard.</param>
    /// <param name="packet">As sent.</param>
    /// <param name="arrival">By the receiver's clock.</param>
    public void Arrived(MediaTime now, SentPacket packet, MediaTime arrival)
    {
        double at = arrival.Seconds, sent = packet.SentAt.Seconds;
        if (packet.Sequence < _lastSequence)
            return;     // overtaken by a later one: says nothing
        var next = packet.Sequence == _lastSequence + 1;
        _lastSequence = packet.Sequence;
        var delay = at - sent;
        // Even without any delay of its own the link has carried the first packet while its report came: it carries at least that.
        _rate ??= Math.Clamp(packet.WireBytes / Math.Max(now.Seconds - sent, Grain), Slowest, Fastest);
        if (_lastArrival is not { } last || !next)
        {
            // Behind one that was lost it waited for nobody knows how long.
            Settle(now);
            Remember(now, delay, packet.WireBytes);
        }
        else if (Known ? _delays.Count > 0 && last > sent + _base + Grain : sent - _lastSent < _lastBytes / (GuessedTimes * _rate) && at - last > Together)
        {
            Settle(now);
            Queueing = MediaTime.FromSeconds(last - sent - _base);
            Add(now, packet.WireBytes, at - last, together: at - last < Together);
        }
        else
        {
            Queueing = MediaTime.Zero;
            Alone(now, packet.WireBytes, delay, together: at - last < Together);
        }

        (_lastArrival, _lastSent, _lastBytes) = (at, sent, packet.WireBytes);
        var back = now.Seconds - at;
        _back = _back is { } b ? Math.Min(back, b + 0.02) : back;
    }

    /// <summary>What the link carries, as far as it is known.</summary>
    /// <param name="now">The sender's clock.</param>
    /// <param name="guess">While nothing is known.</param>
    public Bitrate Estimate(MediaTime now, Bitrate guess)
    {
        var rate = _rate ?? guess.BytesPerSecond;
        // Silence alone says nothing of the rate: the link may be gone.
        if (_slow is { } slow && Overdue(now) is var (bytes, served, overdue) && overdue > ConfirmedAfter)
            rate = Math.Max(Slowest, Math.Min(rate, Math.Min(slow.Bytes / slow.Service, bytes / Math.Min(served, LongestServed))));

        return new((long)(rate * 8));
    }

    /// <summary>How long the oldest packet under way is overdue.</summary>
    public MediaTime OverdueFor(MediaTime now) => MediaTime.FromSeconds(Math.Max(Overdue(now)?.By ?? 0, 0));

    /// <summary>The oldest packet under way: its bytes, how long the link has had for them, and by how much longer that is than it should be.</summary>
    private (int Bytes, double Served, double By)? Overdue(MediaTime now)
    {
        if (flight.OldestAfter(_lastSequence) is not { } oldest || _rate is not { } rate || _back is not { } back)
            return null;
        var start = Math.Max(oldest.SentAt.Seconds + _base, _lastArrival ?? double.NegativeInfinity);
        var served = now.Seconds - back - start;
        return served > 0 ? (oldest.WireBytes, served, served - oldest.WireBytes / rate) : null;
    }

    /// <summary>
    /// Finds the least delay without serialisation: where the line under delay over size, from the quickest small packet, meets size 0. Its slope is
    /// that of the best moments, whatever the rate is now; where there is no large packet, it is that of the rate.
    /// </summary>
    private void Remember(MediaTime now, double delay, int bytes)
    {
        _delays.Enqueue((now, delay, bytes));
        while (_delays.Count > 4 && (_delays.Count > MostSamples * 4 || _delays.Peek().At < now - MediaTime.FromSeconds(RememberDelays)))
            _delays.Dequeue();
        FindBase();
    }

    private void FindBase()
    {
        var smallest = _delays.Min(d => d.Bytes);
        var small = _delays.Where(d => d.Bytes <= 1.5 * smallest).ToList();
        var quickest = small.MinBy(d => d.Delay);
        var large = _delays.Where(d => d.Bytes >= 2 * quickest.Bytes).ToList();
        var slope = large.Count > 0 ? large.Min(d => (d.Delay - quickest.Delay) / (d.Bytes - quickest.Bytes)) : 0;
        var usual = 1 / _rate!.Value;
        if (slope > 1 / Fastest)
        {
            slope = Math.Min(slope, 1.6 * usual);
            _base = quickest.Delay - quickest.Bytes * slope;
            if (!Known && small.Count > 1)
                _rate = 1 / slope;
            _sloped = small.Count > 1;
        }
        else
        {
            // One size, or all small ones were held up.
            _base = _delays.Min(d => d.Delay - d.Bytes * usual);
            _sloped = false;
        }
    }

    /// <summary>
    /// A packet that waited for no other. Where it came far too early, either the link has become faster or the way shorter, and one alone does not
    /// tell: two of different sizes do.
    /// </summary>
    private void Alone(MediaTime now, int bytes, double delay, bool together)
    {
        if (!Known)
        {
            // Until a queue or two sizes have told what the link carries, the rate is no more than a bound.
            Remember(now, delay, bytes);
            if (_sloped)
                Take(bytes, bytes / _rate!.Value);
            return;
        }

        if (_delays.Count > 0 && delay - _base < bytes / Fastest)
        {
            // No link is that fast: what seemed to be the least delay was a queue.
            _early = null;
            _delays.Clear();
            Remember(now, delay, bytes);
            return;
        }

        var early = _delays.Count > 0 && bytes / Math.Max(delay - _base, Grain) > Fast * _rate;
        if (!early)
        {
            Settle(now);
            Remember(now, delay, bytes);
            Add(now, bytes, delay - _base, together);
            return;
        }

        if (_early is not { } before)
        {
            _early = (now, delay, bytes);
            return;
        }

        _early = null;
        var (larger, longer) = bytes > before.Bytes ? (bytes - before.Bytes, delay - before.Delay) : (before.Bytes - bytes, before.Delay - delay);
        if (larger < 0.3 * bytes || larger / Math.Max(longer, Grain) > 1.3 * _rate)
        {
            _samples.Clear();
            _slow = null;
            Take(before.Bytes, before.Delay - _base);
            Take(bytes, delay - _base);
        }

        Remember(before.At, before.Delay, before.Bytes);
        Remember(now, delay, bytes);
    }

    /// <summary>One that came too early, and was not followed by another: by chance, or the way is shorter.</summary>
    private void Settle(MediaTime now)
    {
        if (_early is { } early)
            Remember(now, early.Delay, early.Bytes);
        _early = null;
    }

    private void Take(double bytes, double service)
    {
        if (!Known && _delays.Count > 0)
        {
            _rate = bytes / Math.Max(service, Grain);
            FindBase();
        }

        _samples.Add((bytes, Math.Max(service, Grain)));
        Average();
    }

    private void Add(MediaTime now, double bytes, double service, bool together)
    {
        var sample = bytes / Math.Max(service, Grain);
        if (sample < Slowest)
        {
            // An outage, not a rate.
            Stall(now);
            _heldUp = true;
            return;
        }

        // What was held up comes at once, or faster than the link: it had been carried meanwhile.
        if (_slow is not null || _heldUp)
        {
            _heldUp = together || sample > HeldUp * _rate;
            if (_heldUp)
            {
                if (_slow is not null)
                    Stall(now);
                return;
            }
        }
        else if (together && _samples.Count > 0)
        {
            _samples[^1] = (_samples[^1].Bytes + bytes, _samples[^1].Service + service);
            Average();
            return;
        }

        if (sample < Slow * _rate && service > 0.15)
        {
            if (_slow is not { } first)
            {
                _slow = (bytes, service);
                return;
            }

            // Twice: it is the link.
            Begin(first);
            _slow = null;
        }
        else if (_slow is not null)
        {
            Stall(now);
        }

        Take(bytes, service);
    }

    private void Stall(MediaTime now)
    {
        Stalls++;
        _stalls.Enqueue(now);
        if (_stalls.Count > 2)
            _stalls.Dequeue();
        _slow = null;
    }

    private void Begin((double Bytes, double Service) first)
    {
        _samples.Clear();
        _samples.Add(first);
    }

    private void Average()
    {
        double bytes = 0, service = 0;
        var from = _samples.Count;
        while (from > 0 && (service < AverageOver || _samples.Count - from < LeastSamples))
        {
            from--;
            bytes += _samples[from].Bytes;
            service += _samples[from].Service;
        }

        if (from > 0 && _samples.Count > MostSamples)
            _samples.RemoveRange(0, Math.Min(from, _samples.Count - MostSamples));
        _rate = bytes / service;
    }
}
