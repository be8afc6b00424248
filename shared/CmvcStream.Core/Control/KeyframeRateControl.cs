using CmvcStream.Core.Codec;
using CmvcStream.Core.Media;

namespace CmvcStream.Core.Control;

/// <summary>What to spend on the next keyframe.</summary>
/// <param name="Quality">libaom's cq-level, 0 to 63.</param>
/// <param name="Scale">Coded size.</param>
public readonly record struct KeyframeSpend(int Quality, CodedScale Scale);

/// <summary>
/// Spends the byte budget on keyframes: how far apart, how large and how good. The three are chosen together: at a given rate the
/// spacing follows the rate, quality follows the sizes of past keyframes, and the coded size steps down where quality is
/// exhausted and up where it is plenty. Constants come from trials on clips of no benchmark.
/// </summary>
public sealed class KeyframeRateControl
{
    private const double WorstQuality = 62, BestQuality = 20;

    /// <summary>So many steps of cq-level halve a keyframe's size, near enough.</summary>
    private const double StepsPerHalf = 7;

    /// <summary>A keyframe's size grows about so with its coded area, at one quality.</summary>
    private const double AreaExponent = 0.75;

    /// <summary>Bytes a pixel of an intra picture at the first quality.</summary>
    private const double IntraBytes = 0.05;

    // Quality within which a coded size is kept: below it the next larger size pays, above it the next smaller one.
    private const double LargerBelow = 48, SmallerAbove = 60, FirstQuality = 52;

    // At full size, quality below or above these is better spent on (or saved from) the number of keyframes.
    private const double DenserBelow = 47, SparserAbove = 55;

    // From small to large; libaom predicts across a change of size.
    private static readonly CodedScale[] Ladder =
        [CodedScale.Quarter, CodedScale.Third, CodedScale.Half, CodedScale.TwoThirds, CodedScale.ThreeQuarters, CodedScale.Full];

    private readonly double _bytesPerSecond;
    private readonly double _fps;
    private readonly double[] _areas;
    private double _quality = FirstQuality;
    private int _step;
    private int _sinceResize, _patience = 8;
    private bool _climbing = true;
    private double _debt;
    private double _spacing = 1;

    /// <param name="payload">What keyframes may cost a second, overhead already taken off.</param>
    /// <param name="source">Ticks a second.</param>
    /// <param name="size">Source size, for the first keyframe's coded size.</param>
    /// <param name="coalesce">How long parts wait for company.</param>
    public KeyframeRateControl(Bitrate payload, FrameRate source, PixelSize size, MediaTime coalesce)
    {
        BacklogLimit = coalesce + MediaTime.FromSeconds(0.45);
        _bytesPerSecond = payload.BytesPerSecond;
        _fps = source.Hertz;
        _areas = [.. Ladder.Select(scale => (double)scale.Of(size).Area)];
        // The first picture takes about 1.2 s of the link.
        while (_step < Ladder.Length - 1 && IntraBytes * _areas[_step + 1] <= _bytesPerSecond * 1.2)
            _step++;
    }

    /// <summary>Ticks between keyframes that this rate is best spent on: 7 to 8 at 8 kbit/s and 15 frames/s.</summary>
    public double TargetInterval =>
        Math.Clamp(_fps * 0.5 * Math.Pow(1000 / Math.Max(_bytesPerSecond, 1), 0.45) * _spacing, 2, _fps * 1.2);

    public double MinInterval => Math.Max(1, TargetInterval * 0.6);

    public double MaxInterval => TargetInterval * 1.5;

    /// <summary>No keyframe is made while more than this waits to be sent.</summary>
    public MediaTime BacklogLimit { get; }

    /// <summary>Bytes that were spent ahead of time; negative when some were saved.</summary>
    public double Debt => _debt;

    /// <summary>Below 1 while bytes go unspent, above while they are owed.</summary>
    public double Pressure => Math.Clamp(1 + _debt / (_bytesPerSecond * 0.5), 0.3, 2);

    public KeyframeSpend Next(bool intra)
    {
        var quality = intra ? Math.Max(_quality, FirstQuality) : _quality;
        return new((int)Math.Round(Math.Clamp(quality, BestQuality, WorstQuality)), Ladder[_step]);
    }

    /// <summary>Tells what a keyframe cost, and how many ticks after the one before it came.</summary>
    public void Spent(int bytes, double ticksSinceLast, bool intra)
    {
        var share = _bytesPerSecond * ticksSinceLast / _fps;
        // What was not spent cannot be saved up: the pacer lets nothing leave faster later.
        _debt = Math.Clamp(_debt + bytes - share, -_bytesPerSecond * 0.4, _bytesPerSecond * 6);
        if (intra)
        {
            _climbing = true;
            if (bytes < _bytesPerSecond * 1.1 && _step < Ladder.Length - 1)
                Move(1);
            return;
        }

        var target = Math.Max(share - _debt * 0.3, 40);
        var miss = Math.Log2((bytes + 15) / target) * StepsPerHalf;
        // The first keyframe at a larger size pays for the detail: it says little about the next. One far too large is answered at once.
        var gain = _sinceResize == 0 ? 0.15 : miss > StepsPerHalf ? 0.7 : 0.4;
        _quality = Math.Clamp(_quality + Math.Clamp(miss * gain, -3, 10), BestQuality, WorstQuality + 3);
        _sinceResize++;
        Resize(bytes);
        Respace();
    }

    private void Resize(int bytes)
    {
        if (_climbing)
        {
            // At the start every keyframe brings the next size, each of about a second of the link: detail that does not move is paid once.
            _quality = FirstQuality + 1;
            if (bytes > _bytesPerSecond * 1.6 || _step == Ladder.Length - 1)
                _climbing = false;
            else if (bytes < _bytesPerSecond * 1.1)
                Move(1);
            return;
        }

        if (_quality > SmallerAbove && _step > 1 && _sinceResize >= 4)
        {
            // A size that did not last is not tried again soon.
            _patience = _sinceResize < 12 ? Math.Min(_patience * 2, 64) : 8;
            Move(-1);
        }
        else if (_quality < LargerBelow && _step < Ladder.Length - 1 && _sinceResize >= _patience && _debt < _bytesPerSecond * 0.2)
        {
            Move(1);
        }
    }

    private void Respace()
    {
        if (_step == Ladder.Length - 1 && _quality < DenserBelow)
            _spacing = Math.Max(_spacing * 0.94, 0.45);
        else if (_quality > SparserAbove)
            _spacing = Math.Min(_spacing * 1.05, 1.6);
        else
            _spacing += (1 - _spacing) * 0.03;
    }

    private void Move(int by)
    {
        _quality += StepsPerHalf * AreaExponent * Math.Log2(_areas[_step + by] / _areas[_step]);
        // A larger size pays once for all the detail that it brings: not all of it at once.
        if (by > 0)
            _quality += 2;
        _step += by;
        _sinceResize = 0;
    }
}
