using CmvcStream.Core.Codec;
using CmvcStream.Core.Media;

namespace CmvcStream.Core.Control;

/// <summary>What to spend on the next keyframe.</summary>
/// <param name="Quality">libaom's cq-level, 0 to 63.</param>
/// <param name="Scale">Coded size.</param>
public readonly record struct KeyframeSpend(int Quality, CodedScale Scale);

/// <summary>
/// Spends the wire on keyframes: how far apart, how large and how good. The spacing follows from the rate. A keyframe is coded when the
/// wire is about to be free, as large as what may leave then: nothing queues, so that spacing and picture delay stay bounded whatever
/// the content does. Trials, which the encoder does not keep, tell the quality for that, and the coded size steps down where quality is
/// exhausted: <see cref="Plan"/>, <see cref="Revise"/> until it is content, code, <see cref="Spent"/>.
/// Constants come from simulated streams of clips of no benchmark (cmvc-simulate): the full size is worth more than quality, and about
/// 0.75 s between keyframes at 8 kbit/s is worth more than a shorter gap.
/// </summary>
public sealed class KeyframeRateControl
{
    private const double WorstQuality = 63, BestQuality = 12;

    /// <summary>So many steps of cq-level halve a keyframe's size, near enough: a first trial tells the rest.</summary>
    private const double StepsPerHalf = 5.5;

    /// <summary>A keyframe's size grows about so with its coded area, at one quality.</summary>
    private const double AreaExponent = 0.75;

    /// <summary>Bytes a pixel of an intra picture at its first trial.</summary>
    private const double IntraBytes = 0.05;

    // First trials of an intra keyframe and of the first one after it.
    private const double IntraQuality = 52, SecondQuality = 60;

    // An intra keyframe takes the largest size that keeps its quality at the first, or the next smaller one where quality is beyond the second.
    private const double IntraLargerBelow = 54, IntraSmallerAbove = 60, IntraBest = 40, IntraWorst = 62;

    // Seconds of the link that an intra keyframe may take: the first one, and later ones as far as that much is available.
    private const double IntraSeconds = 1.2, LeastIntraSeconds = 0.5;

    // Beyond the best of the last keyframes quality improves by no more than this (more in the beginning): what stands still is as good
    // as the best of them, and coded anew when quality is better.
    private const int Remembered = 8;
    private const double Improvement = 3, FirstImprovement = 8;

    /// <summary>What a larger size costs once, in steps of quality.</summary>
    private const double NewDetail = 3;

    // A coded size is left for the next smaller one above the first, and for the next larger one where that keeps quality below the second.
    private const double SmallerAbove = 61, LargerBelow = 58;

    // Most keyframes before a larger size that did not last is tried again, and the quality below which it need not wait.
    private const int MostPatience = 64;
    private const double EasyBelow = 48;

    /// <summary>Left for the next smaller one at once, where the worst quality takes so many times what it should.</summary>
    private const double FarTooLarge = 1.6;

    /// <summary>For so many keyframes after an intra one any size may follow any other.</summary>
    private const int Climbing = 3;

    // Trials that a keyframe gets, and how many of them may change the coded size; what a size may be, in parts of what it should.
    private const int MostTrials = 3, ResizingTrials = 2;
    private const double LeastFilled = 0.7, MostFilled = 1.2;

    /// <summary>Of a keyframe's payload, what may go to motion instead, where it is worth more.</summary>
    private const double MotionShare = 0.25;

    /// <summary>Headers, and what is small and travels along: texts, control, the keyframe's own header.</summary>
    private const double SmallParts = 36;

    // Seconds: beyond what coding took, which differs from keyframe to keyframe; bounds of both together; what it takes at first.
    private const double LeadMargin = 0.05, LeastLead = 0.1, MostLead = 0.6, TookAtFirst = 0.2;

    // From small to large; libaom predicts across a change of size.
    private static readonly CodedScale[] Ladder =
        [CodedScale.Quarter, CodedScale.Third, CodedScale.Half, CodedScale.TwoThirds, CodedScale.ThreeQuarters, CodedScale.Full];

    private readonly WireOverhead _overhead;
    private readonly double _fps;
    private readonly double[] _areas;
    private readonly Queue<double> _qualities = new();
    private double _bytesPerSecond;
    private int _firstStep, _step;
    private double _level;      // log2 of a keyframe's bytes at quality 0
    private double _target;     // bytes of the one that is being tried
    private double _motion, _took = TookAtFirst;
    private long _predicted;    // keyframes since the last intra one
    private (int Quality, double Log) _over, _under;   // trials that came out too large and too small
    private int _trials, _exhausted, _sinceResize, _patience = 4;
    private bool _intra, _begun, _grew;

    /// <param name="rate">Of the wire.</param>
    /// <param name="overhead">What a message costs.</param>
    /// <param name="source">Ticks a second.</param>
    /// <param name="size">Source size, for the first keyframe's coded size.</param>
    public KeyframeRateControl(Bitrate rate, WireOverhead overhead, FrameRate source, PixelSize size)
    {
        (_overhead, _fps) = (overhead, source.Hertz);
        _areas = [.. Ladder.Select(scale => (double)scale.Of(size).Area)];
        SetRate(rate);
    }

    /// <summary>The wire carries another rate from now on.</summary>
    public void SetRate(Bitrate rate)
    {
        _bytesPerSecond = Math.Max(rate.BytesPerSecond, 1);
        TargetInterval = Math.Clamp(_fps * 0.75 * Math.Pow(1000 / _bytesPerSecond, 0.45), 2, _fps * 1.5);
        Nominal = Math.Max(_bytesPerSecond * TargetInterval / _fps - _overhead.WireBytes(0) - SmallParts, 40);
        _firstStep = 0;
        while (_firstStep < Ladder.Length - 1 && IntraBytes * _areas[_firstStep + 1] <= _bytesPerSecond * IntraSeconds)
            _firstStep++;
        MostMotion = Nominal * MotionShare;
        Most = _bytesPerSecond * 2.5;
    }

    /// <summary>How far the wire may be taken in advance: as long as trials and coding took lately.</summary>
    public MediaTime Lead => MediaTime.FromSeconds(Math.Clamp(_took + LeadMargin, LeastLead, MostLead));

    /// <summary>Ticks between keyframes that this rate is best spent on: 11 at 8 kbit/s and 15 frames/s.</summary>
    public double TargetInterval { get; private set; }

    public double MinInterval => Math.Max(1, TargetInterval * 0.7);

    public double MaxInterval => TargetInterval * 1.5;

    /// <summary>Payload bytes of a keyframe at the target interval.</summary>
    public double Nominal { get; private set; }

    /// <summary>
    /// Payload bytes above which a predicted keyframe is not sent, but coded anew as an intra one, as small as the first: when a still
    /// picture begins to move it would hold the wire for longer than anybody waits.
    /// </summary>
    public double Most { get; private set; }

    /// <summary>
    /// Payload bytes that the motion of a gap may take, and with them the times at which it may be described: 73 at 2.5 kbit/s, 250 at 16.
    /// What of that is worth its bytes is decided gap by gap.
    /// </summary>
    public double MostMotion { get; private set; }

    /// <summary>Whether a keyframe worth the name could leave now.</summary>
    /// <param name="available">Payload bytes that may leave within <see cref="Lead"/>.</param>
    public bool Affords(double available) => available >= 0.6 * Nominal;

    /// <summary>What the next keyframe is tried with first.</summary>
    /// <param name="intra">It is predicted from nothing.</param>
    /// <param name="available">Payload bytes that may leave within <see cref="Lead"/>.</param>
    public KeyframeSpend Plan(bool intra, double available)
    {
        (_intra, _trials) = (intra, 0);
        Forget();
        if (intra)
        {
            _target = _bytesPerSecond * (_begun ? Math.Clamp(available / _bytesPerSecond, LeastIntraSeconds, IntraSeconds) : IntraSeconds);
            return new((int)IntraQuality, Ladder[_step = _firstStep]);
        }

        _target = Math.Clamp(available - _motion, Nominal * 0.4, Nominal * 1.5);
        if (_predicted == 0)
            return new((int)SecondQuality, Ladder[_step]);
        if (_predicted >= Climbing)
            Resize();
        return new(Quality(), Ladder[_step]);
    }

    /// <summary>Tells what a trial came to.</summary>
    /// <param name="tried">From <see cref="Plan"/>, or from here.</param>
    /// <param name="bytes">Of the keyframe.</param>
    /// <returns>What to try instead; null: code it so.</returns>
    public KeyframeSpend? Revise(KeyframeSpend tried, int bytes)
    {
        if (++_trials > MostTrials + 1)
            return null;
        _level = Level(bytes, tried.Quality);
        var step = _step;
        if (_trials <= ResizingTrials)
            FitScale(hopeless: tried.Quality >= WorstQuality && bytes > FarTooLarge * _target);
        if (_step != step)
        {
            Forget();
            return new(Quality(), Ladder[_step]);
        }

        // Size over quality has steps: below some quality all that stands still is coded anew. So later trials lie between earlier ones.
        if (bytes > _target)
            _over = (tried.Quality, Math.Log2(bytes));
        else
            _under = (tried.Quality, Math.Log2(bytes + 1));
        if (bytes <= MostFilled * _target && (bytes >= LeastFilled * _target || _trials >= MostTrials))
            return null;
        var quality = _trials >= MostTrials && _under.Quality <= WorstQuality ? _under.Quality : Quality();
        return quality == tried.Quality ? null : new(quality, Ladder[_step]);
    }

    /// <summary>Tells what a keyframe cost.</summary>
    /// <param name="bytes">Of the keyframe.</param>
    /// <param name="motion">Of the motion that goes with it.</param>
    /// <param name="intra">It was predicted from nothing.</param>
    /// <param name="quality">What it was coded with.</param>
    public void Spent(int bytes, int motion, bool intra, int quality)
    {
        _begun = true;
        if (intra)
        {
            _predicted = 0;
            _qualities.Clear();
            return;
        }

        _predicted++;
        _sinceResize++;
        _qualities.Enqueue(quality);
        if (_qualities.Count > Remembered)
            _qualities.Dequeue();
        _motion += (motion - _motion) * 0.3;
        _level = Level(bytes, quality);
    }

    /// <summary>Tells how long a keyframe's trials and coding took, together.</summary>
    public void Took(MediaTime time) => _took += (time.Seconds - _took) * 0.2;

    private static double Level(int bytes, int quality) => Math.Log2(bytes + 10) + quality / StepsPerHalf;

    /// <summary>The quality at which the keyframe would take what it should.</summary>
    private double Wanted => (_level - Math.Log2(_target)) * StepsPerHalf;

    /// <summary>The same within bounds, and between the trials so far.</summary>
    private int Quality()
    {
        var (best, worst) = (BestQuality, WorstQuality);
        if (_intra)
            (best, worst) = (IntraBest, IntraWorst);
        else if (_qualities.Count > 0)
            best = Math.Max(best, _qualities.Min() - (_predicted <= Ladder.Length ? FirstImprovement : Improvement));
        var wanted = Wanted;
        if (_over.Quality >= 0 && _under.Quality <= WorstQuality)
        {
            wanted = _over.Quality + (_under.Quality - _over.Quality) * (_over.Log - Math.Log2(_target)) / (_over.Log - _under.Log);
            wanted = Math.Min(Math.Max(wanted, _over.Quality + 1), Math.Max(_over.Quality + 1, _under.Quality - 1));
        }

        return (int)Math.Round(Math.Clamp(wanted, best, worst));
    }

    private void Forget() => (_over, _under) = ((-1, 0), (int.MaxValue, 0));

    private void FitScale(bool hopeless)
    {
        if (_intra)
            FitIntra();
        else if (hopeless && _step > 0)
            Move(-1);
        else if (_predicted < Climbing)
            Climb();
    }

    private void FitIntra()
    {
        while (_step < Ladder.Length - 1 && Wanted + Steps(_step, _step + 1) <= IntraLargerBelow)
            Scale(1);
        while (_step > 0 && Wanted > IntraSmallerAbove)
            Scale(-1);
    }

    /// <summary>From the small intra keyframe to the largest size that what is available can pay for.</summary>
    private void Climb()
    {
        var step = _step;
        while (_step < Ladder.Length - 1 && Wanted + Steps(_step, _step + 1) + NewDetail <= LargerBelow)
            Move(1);
        if (_step > step)
            _level += NewDetail / StepsPerHalf;
    }

    /// <summary>Lets the coded size follow the quality that it leaves room for, one step at a time.</summary>
    private void Resize()
    {
        _exhausted = Wanted > SmallerAbove ? _exhausted + 1 : 0;
        if (_exhausted >= 2 && _step > 0)
        {
            // A larger size that did not last is not tried again soon.
            _patience = _grew && _sinceResize < 12 ? Math.Min(_patience * 2, MostPatience) : 4;
            Move(-1);
        }
        else if (_step < Ladder.Length - 1)
        {
            var larger = Wanted + Steps(_step, _step + 1);
            var patient = _predicted <= Ladder.Length || _sinceResize >= _patience;
            if (larger >= (patient ? LargerBelow : EasyBelow))
                return;
            Move(1);
            _level += NewDetail / StepsPerHalf;
        }
    }

    private void Move(int by)
    {
        Scale(by);
        _grew = by > 0;
        _sinceResize = _exhausted = 0;
        _qualities.Clear();
    }

    private void Scale(int by)
    {
        _level += Steps(_step, _step + by) / StepsPerHalf;
        _step += by;
    }

    /// <summary>Steps of quality that a change of size is worth.</summary>
    private double Steps(int from, int to) => StepsPerHalf * AreaExponent * Math.Log2(_areas[to] / _areas[from]);
}
