namespace CmvcStream.Core.Control;

/// <summary>
/// What is believed of a link: a probability for each rate and each base (delay without queue and serialisation, difference of the clocks
/// included), on a grid. Every packet is weighed against every cell. Inference of a link's rate from arrivals by a hidden Markov model is
/// Sprout's (Winstein et al., "Stochastic Forecasts Achieve High Throughput and Low Delay over Cellular Networks", NSDI 2013); Sprout counts
/// packets in ticks of 20 ms, here the time that each one needed is the observation.
/// </summary>
internal sealed class LinkBelief
{
    /// <summary>The grid of rates: bytes a second, each this much faster than the one before.</summary>
    private const double Slowest = 30, RateStep = 0.055;

    /// <summary>The grid of bases, downwards from the least delay seen: seconds, each step this much larger than the one before.</summary>
    private const double FirstOffset = 0.006, OffsetStep = 0.14;

    private const int Rates = 122, Offsets = 40;

    // How a link changes, a second: to any other rate; by about a fifth; by a little. And its base: to any other.
    private const double Jumps = 0.008, Drifts = 0.15, Creeps = 0.06, Moves = 0.002;
    private const int Drift = 3;

    /// <summary>Probability that a way has become shorter, where a packet came too early for any base.</summary>
    private const double Shorter = 1e-3;

    /// <summary>Seconds: after more than this without news, no more becomes possible.</summary>
    private const double LongestElapsed = 3;

    // How exact a packet's time is: relative, and in seconds (timers, polls, other packets); now and then so many times worse.
    private const double Relative = 0.05, Absolute = 0.015, Worse = 5, WorseShare = 0.1;

    // A packet is held up (retransmission, fade): how often is learned, between the two; half of them for less than three times Hold (seconds). Or it comes
    // too early: seldom, and often where the one before was held up in its place.
    private const double HeldUp = 0.015, MostHeldUp = 0.25, HeldUpGain = 0.06, CatchingUp = 0.4, Early = 0.02, Hold = 0.5;

    private static readonly double[] s_rates = [.. Enumerable.Range(0, Rates).Select(k => Slowest * Math.Exp(RateStep * k))];
    private static readonly double[] s_offsets = [.. Enumerable.Range(0, Offsets).Select(j => FirstOffset * (Math.Pow(1 + OffsetStep, j) - 1) / OffsetStep)];
    private static readonly double[] s_usual = Usual();

    private double[] _cells = new double[Rates * Offsets];
    private double[] _spare = new double[Rates * Offsets];
    private double[] _before = new double[Rates * Offsets];
    private double[] _held = new double[Rates * Offsets];
    private double[] _heldBefore = new double[Rates * Offsets];
    private readonly double[] _marginal = new double[Rates];
    private readonly double[] _column = new double[Rates];
    private double _heldUp = HeldUp, _heldUpBefore = HeldUp;
    private double? _top, _topBefore;

    public LinkBelief() => s_usual.CopyTo(_marginal, 0);

    /// <summary>Seconds: base, the mean.</summary>
    public double Base { get; private set; }

    /// <summary>Probability that the packet before the last was held up, rather than that the link is so slow.</summary>
    public double Held { get; private set; }

    /// <summary>Forgets the base: another path, other clocks.</summary>
    public void Restart()
    {
        (_top, Held) = (null, 0);
        Array.Clear(_held);
    }

    /// <summary>Takes the last observation back.</summary>
    public void Undo()
    {
        (_cells, _before) = (_before, _cells);
        (_held, _heldBefore) = (_heldBefore, _held);
        (_top, _heldUp) = (_topBefore, _heldUpBefore);
        Summarize();
    }

    /// <summary>Weighs a packet.</summary>
    /// <param name="elapsed">Seconds since the last.</param>
    /// <param name="top">Least delay seen lately, seconds: no base is above.</param>
    /// <param name="bottom">No base is below, seconds.</param>
    /// <param name="sent">When it left, by the sender's clock, seconds.</param>
    /// <param name="bytes">On the wire.</param>
    /// <param name="last">Arrival of the packet before; null: none.</param>
    /// <param name="arrival">By the receiver's clock, seconds.</param>
    /// <param name="skipped">What used the link between the two and did not come, or is not told of: in order of sending.</param>
    public void Observe(double elapsed, double top, double bottom, double sent, double bytes, double? last, double arrival, ReadOnlySpan<SentPacket> skipped)
    {
        Anchor(top);
        _cells.CopyTo(_before, 0);
        _held.CopyTo(_heldBefore, 0);
        (_topBefore, _heldUpBefore) = (_top, _heldUp);
        Elapse(Math.Clamp(elapsed, 0, LongestElapsed));
        double all = 0, heldAll = 0;
        for (var j = 0; j < Offsets; j++)
        {
            var at = top - s_offsets[j];
            var possible = at < bottom ? Math.Exp((at - bottom) / Absolute) : 1;
            for (var k = 0; k < Rates; k++)
            {
                var free = last ?? double.NegativeInfinity;
                foreach (var packet in skipped)
                    free = Math.Max(free, packet.SentAt.Seconds + at) + (packet.WireBytes / s_rates[k]);
                ref var cell = ref _cells[(j * Rates) + k];
                ref var before = ref _held[(j * Rates) + k];
                var (likelihood, held) = Likelihood(arrival - Math.Max(free, sent + at), bytes / s_rates[k], Early + (CatchingUp * before));
                cell *= possible * likelihood;
                all += cell;
                heldAll += cell * before;
                before = held;
            }
        }

        if (all < 1e-200)
        {
            // Nothing explains it.
            _top = null;
            Anchor(top);
            Array.Clear(_held);
            Held = 0;
            Summarize();
            return;
        }

        Learn(heldAll / all);
        for (var i = 0; i < _cells.Length; i++)
            _cells[i] /= all;
        Summarize();
    }

    /// <summary>What was behind the last packet has come with it: more probable where that was held up.</summary>
    public void CaughtUp()
    {
        double all = 0, heldAll = 0;
        for (var i = 0; i < _cells.Length; i++)
        {
            _cells[i] *= Early + (CatchingUp * _held[i]);
            all += _cells[i];
            heldAll += _cells[i] * _held[i];
        }

        Learn(heldAll / all);
        Array.Clear(_held);
        for (var i = 0; i < _cells.Length; i++)
            _cells[i] /= all;
        Summarize();
    }

    /// <summary>Bytes a second: with this probability the link carries less.</summary>
    public double Quantile(double probability) => Quantile(_marginal, probability);

    /// <summary>As <see cref="Quantile(double)"/>, given that the next packet has not come yet.</summary>
    /// <param name="probability">Of less.</param>
    /// <param name="bytes">Of that packet.</param>
    /// <param name="served">Seconds that the link has had for it.</param>
    public double Quantile(double probability, double bytes, double served)
    {
        var jumped = Math.Min(served, LongestElapsed) * Jumps;
        for (var k = 0; k < Rates; k++)
            _column[k] = (((1 - jumped) * _marginal[k]) + (jumped * s_usual[k])) * Survival(served, bytes / s_rates[k]);
        return Quantile(_column, probability);
    }

    private static double Quantile(double[] masses, double probability)
    {
        double all = 0, below = 0;
        foreach (var mass in masses)
            all += mass;
        for (var k = 0; k < Rates; k++)
        {
            if (below + masses[k] >= probability * all && masses[k] > 0)
                return Slowest * Math.Exp(RateStep * (k - 0.5 + (((probability * all) - below) / masses[k])));
            below += masses[k];
        }

        return s_rates[^1];
    }

    /// <summary>Density of a packet's time on the link, where it should be <paramref name="due"/>; and the probability that it was held up.</summary>
    private (double Likelihood, double Held) Likelihood(double service, double due, double early)
    {
        var error = service - due;
        var deviation = Math.Sqrt((Relative * Relative * due * due) + (Absolute * Absolute));
        var z = error / deviation;
        var near = z * z < 60 * Worse * Worse ? (((1 - WorseShare) * Math.Exp(-0.5 * z * z)) + (WorseShare / Worse * Math.Exp(-0.5 * z * z / (Worse * Worse)))) / (deviation * 2.5066) : 0;
        if (error <= 0)
            return (((1 - early) * near) + (early / Math.Max(due, 0.05)), 0);
        var late = _heldUp * 0.5 / Hold * Math.Pow(Hold / (error + Hold), 1.5);
        return (((1 - early) * near) + late, late / (((1 - early) * near) + late));
    }

    /// <summary>Probability that a packet takes longer.</summary>
    private double Survival(double served, double due)
    {
        var error = served - due;
        var deviation = Math.Sqrt((Relative * Relative * due * due) + (Absolute * Absolute));
        // The logistic is close enough to the normal distribution.
        var near = 1 / (1 + Math.Exp(Math.Min(1.702 * error / deviation, 500)));
        return near + ((1 - near) * _heldUp * Math.Sqrt(Hold / (Math.Max(error, 0) + Hold)));
    }

    /// <summary>Rates as they are met, before anything is known: log-uniform from 800 bit/s to 50 kbit/s, others a tenth as often.</summary>
    private static double[] Usual()
    {
        var usual = s_rates.Select(r => r is > 100 and < 6250 ? 1.0 : 0.1).ToArray();
        var all = usual.Sum();
        return [.. usual.Select(u => u / all)];
    }

    /// <summary>Moves the grid of bases, so that it begins at the least delay.</summary>
    private void Anchor(double top)
    {
        if (_top is not { } old)
        {
            // As probable per octave: log-uniform.
            var all = s_offsets.Sum(u => Width(u) / (u + 0.05));
            for (var j = 0; j < Offsets; j++)
            {
                for (var k = 0; k < Rates; k++)
                    _cells[(j * Rates) + k] = _marginal[k] * Width(s_offsets[j]) / (s_offsets[j] + 0.05) / all;
            }
        }
        else if (old != top)
        {
            Array.Clear(_spare);
            for (var j = 0; j < Offsets; j++)
            {
                // A base above the new least delay is hardly possible: the way would have become shorter.
                var above = Math.Max(-(s_offsets[j] + top - old), 0);
                var possible = Math.Max(Math.Exp(-0.5 * above * above / (Absolute * Absolute)), Shorter);
                var offset = Math.Max(s_offsets[j] + top - old, 0);
                var place = Math.Min(Math.Log(1 + (offset * OffsetStep / FirstOffset)) / Math.Log(1 + OffsetStep), Offsets - 1);
                var to = Math.Min((int)place, Offsets - 2);
                for (var k = 0; k < Rates; k++)
                {
                    var mass = _cells[(j * Rates) + k] * possible;
                    _spare[(to * Rates) + k] += mass * (to + 1 - place);
                    _spare[((to + 1) * Rates) + k] += mass * (place - to);
                }
            }

            (_cells, _spare) = (_spare, _cells);
        }

        _top = top;

        static double Width(double offset) => FirstOffset + (offset * OffsetStep);
    }

    /// <summary>The link may have changed.</summary>
    private void Elapse(double seconds)
    {
        double jumps = seconds * Jumps, drifts = seconds * Drifts, creeps = Math.Min(seconds * Creeps, 0.25), moves = seconds * Moves;
        for (var j = 0; j < Offsets; j++)
        {
            var row = _cells.AsSpan(j * Rates, Rates);
            row.CopyTo(_column);
            double all = 0;
            foreach (var mass in row)
                all += mass;
            for (var k = 0; k < Rates; k++)
            {
                int down = Math.Max(k - 1, 0), up = Math.Min(k + 1, Rates - 1), slower = Math.Max(k - Drift, 0), faster = Math.Min(k + Drift, Rates - 1);
                row[k] = ((1 - jumps - drifts - creeps) * _column[k])
                    + (creeps / 2 * (_column[down] + _column[up]))
                    + (drifts / 6 * (_column[slower] + _column[faster] + _column[Math.Max(k - 2, 0)] + _column[Math.Min(k + 2, Rates - 1)] + _column[Math.Max(k - 5, 0)] + _column[Math.Min(k + 5, Rates - 1)]))
                    + (jumps * all * s_usual[k]);
            }
        }

        for (var k = 0; k < Rates; k++)
        {
            double all = 0;
            for (var j = 0; j < Offsets; j++)
                all += _cells[(j * Rates) + k];
            for (var j = 0; j < Offsets; j++)
            {
                ref var cell = ref _cells[(j * Rates) + k];
                cell = ((1 - moves) * cell) + (moves * all / Offsets);
            }
        }
    }

    private void Learn(double held)
    {
        Held = held;
        _heldUp = Math.Clamp(_heldUp + (HeldUpGain * (Held - _heldUp)), HeldUp, MostHeldUp);
    }

    private void Summarize()
    {
        Array.Clear(_marginal);
        double mean = 0, all = 0;
        for (var j = 0; j < Offsets; j++)
        {
            double sum = 0;
            for (var k = 0; k < Rates; k++)
            {
                var mass = _cells[(j * Rates) + k];
                _marginal[k] += mass;
                sum += mass;
            }

            mean += sum * s_offsets[j];
            all += sum;
        }

        Base = (_top ?? 0) - (mean / all);
    }
}
