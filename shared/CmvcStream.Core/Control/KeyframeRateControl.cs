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
/// the content does. Quality follows from the sizes of past keyframes, and the coded size steps down where quality is exhausted.
/// Constants come from simulated streams of clips of no benchmark (cmvc-simulate): the full size is worth more than quality, and about
/// 0.75 s between keyframes at 8 kbit/s is worth more than a shorter gap.
/// </summary>
public sealed class KeyframeRateControl
{
    private const double WorstQuality = 63, BestQuality = 12;

    /// <summary>So many steps of cq-level halve a keyframe's size, near enough.</summary>
    private const double StepsPerHalf = 5.5;

    /// <summary>A keyframe's size grows about so with its coded area, at one quality.</summary>
    private const double AreaExponent = 0.75;

    /// <summary>Bytes a pixel of an intra picture at the first quality.</summary>
    private const double IntraBytes = 0.05;

    // Of intra keyframes, and of the first one after them.
    private const double FirstQuality = 52, SecondQuality = 60;

    // Beyond the best of the last keyframes quality improves by no more than this (more in the beginning): what stands still is as good
    // as the best of them, and coded anew when quality is better.
    private const int Remembered = 8;
    private const double Improvement = 3, FirstImprovement = 8;

    /// <summary>What a larger size costs once, in steps of quality.</summary>
    private const double NewDetail = 3;

    // A coded size is left for the next smaller one above the first, and for the next larger one where that keeps quality below the second.
    private const double SmallerAbove = 61, LargerBelow = 58;

    /// <summary>Headers, and what is small and travels along: texts, control, the keyframe's own header.</summary>
    private const double SmallParts = 36;

    // From small to large; libaom predicts across a change of size.
    private static readonly CodedScale[] Ladder =
        [CodedScale.Quarter, CodedScale.Third, CodedScale.Half, CodedScale.TwoThirds, CodedScale.ThreeQuarters, CodedScale.Full];

    private readonly double[] _areas;
    private readonly int _firstStep;
    private readonly Queue<double> _qualities = new();
    private int _step;
    private double _level;      // log2 of a keyframe's bytes at quality 0
    private double _motion;
    private long _predicted;    // keyframes since the last intra one
    private int _exhausted, _sinceResize, _patience = 4;
    private bool _grew;

    /// <param name="rate">Of the wire.</param>
    /// <param name="overhead">What a message costs.</param>
    /// <param name="source">Ticks a second.</param>
    /// <param name="size">Source size, for the first keyframe's coded size.</param>
    public KeyframeRateControl(Bitrate rate, WireOverhead overhead, FrameRate source, PixelSize size)
    {
        var fps = source.Hertz;
        TargetInterval = Math.Clamp(fps * 0.75 * Math.Pow(1000 / Math.Max(rate.BytesPerSecond, 1), 0.45), 2, fps * 1.5);
        Nominal = Math.Max(rate.BytesPerSecond * TargetInterval / fps - overhead.WireBytes(0) - SmallParts, 40);
        _areas = [.. Ladder.Select(scale => (double)scale.Of(size).Area)];
        // The first picture takes about 1.2 s of the link.
        while (_firstStep < Ladder.Length - 1 && IntraBytes * _areas[_firstStep + 1] <= rate.BytesPerSecond * 1.2)
            _firstStep++;
        _step = _firstStep;
        Most = rate.BytesPerSecond * 2.5;
    }

    /// <summary>How far the wire may be taken in advance: what is coded now is sent a little later, and its size is not known before.</summary>
    public static MediaTime Lead => MediaTime.FromMilliseconds(250);

    /// <summary>Ticks between keyframes that this rate is best spent on: 11 at 8 kbit/s and 15 frames/s.</summary>
    public double TargetInterval { get; }

    public double MinInterval => Math.Max(1, TargetInterval * 0.7);

    public double MaxInterval => TargetInterval * 1.5;

    /// <summary>Payload bytes of a keyframe at the target interval.</summary>
    public double Nominal { get; }

    /// <summary>
    /// Payload bytes above which a predicted keyframe is not sent, but coded anew as an intra one, as small as the first: when a still
    /// picture begins to move it would hold the wire for longer than anybody waits.
    /// </summary>
    public double Most { get; }

    /// <summary>Whether a keyframe worth the name could leave now.</summary>
    /// <param name="available">Payload bytes that may leave within <see cref="Lead"/>.</param>
    public bool Affords(double available) => available >= 0.6 * Nominal;

    /// <summary>What the next keyframe is coded with.</summary>
    /// <param name="intra">It is predicted from nothing.</param>
    /// <param name="available">Payload bytes that may leave within <see cref="Lead"/>.</param>
    public KeyframeSpend Next(bool intra, double available)
    {
        if (intra)
            return new((int)FirstQuality, Ladder[_step = _firstStep]);
        if (_predicted == 0)
            return new((int)SecondQuality, Ladder[_step]);
        var target = Math.Clamp(0.8 * available + 0.2 * Nominal - _motion, Nominal * 0.4, Nominal * 1.5);
        var wanted = (_level - Math.Log2(target)) * StepsPerHalf;
        _exhausted = wanted > SmallerAbove ? _exhausted + 1 : 0;
        wanted = Resize(wanted);
        var best = (_qualities.Count > 0 ? _qualities.Min() : WorstQuality) - (_predicted <= Ladder.Length ? FirstImprovement : Improvement);
        return new((int)Math.Round(Math.Clamp(wanted, Math.Max(best, BestQuality), WorstQuality)), Ladder[_step]);
    }

    /// <summary>Tells what a keyframe cost.</summary>
    /// <param name="bytes">Of the keyframe.</param>
    /// <param name="motion">Of the motion that goes with it.</param>
    /// <param name="intra">It was predicted from nothing.</param>
    /// <param name="quality">What it was coded with.</param>
    public void Spent(int bytes, int motion, bool intra, int quality)
    {
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
        var level = Math.Log2(bytes + 10) + quality / StepsPerHalf;
        _level += (level - _level) * (_predicted <= 2 || level > _level + 1 ? 1 : 0.4);
    }

    /// <summary>Chooses the coded size and gives the quality that it needs.</summary>
    private double Resize(double wanted)
    {
        if (_exhausted >= 2 && _step > 0)
        {
            // A larger size that did not last is not tried again soon.
            _patience = _grew && _sinceResize < 12 ? Math.Min(_patience * 2, 64) : 4;
            return Move(-1, wanted);
        }

        // At the start every keyframe may bring the next size; later it must have paid for some time.
        var patient = _predicted <= Ladder.Length || _sinceResize >= _patience;
        return _step < Ladder.Length - 1 && patient && wanted + Steps(_step, _step + 1) < LargerBelow ? Move(1, wanted) : wanted;
    }

    private double Move(int by, double wanted)
    {
        var steps = Steps(_step, _step + by);
        _level += steps / StepsPerHalf;
        _step += by;
        _grew = by > 0;
        _sinceResize = _exhausted = 0;
        _qualities.Clear();
        return by > 0 ? wanted + steps + NewDetail : wanted + steps;
    }

    /// <summary>Steps of quality that a change of size is worth.</summary>
    private double Steps(int from, int to) => StepsPerHalf * AreaExponent * Math.Log2(_areas[to] / _areas[from]);
}
