using CmvcStream.Core.Codec;
using CmvcStream.Core.Media;

namespace CmvcStream.Core.Control;

/// <summary>What to spend on the next keyframe.</summary>
/// <param name="Quality">libaom's cq-level, 0 to 63.</param>
/// <param name="Scale">Coded size.</param>
/// <param name="TargetBytes">What it ought to cost.</param>
public readonly record struct KeyframeSpend(int Quality, CodedScale Scale, double TargetBytes);

/// <summary>
/// Spends the byte budget on keyframes: how far apart, how large and how good. The three are chosen together: at a given rate the
/// spacing follows the rate, quality follows the sizes of past keyframes, and the coded size steps down where quality is
/// exhausted and up where it is plenty. Constants come from the trial in docs/benchmarks.md ("Spacing and size").
/// </summary>
public sealed class KeyframeRateControl
{
    private const double WorstQuality = 61, BestQuality = 24;

    // From small to large; libaom predicts across a change of size.
    private static readonly CodedScale[] Ladder =
        [CodedScale.Quarter, CodedScale.Third, CodedScale.Half, CodedScale.TwoThirds, CodedScale.ThreeQuarters, CodedScale.Full];

    private readonly double _bytesPerSecond;
    private readonly double _fps;
    private double _quality = 50;
    private int _step;
    private int _settled;
    private double _debt;

    /// <param name="payload">What keyframes may cost a second, overhead already taken off.</param>
    /// <param name="source">Ticks a second.</param>
    /// <param name="size">Source size, for the first keyframe's coded size.</param>
    /// <param name="coalesce">How long parts wait for company.</param>
    public KeyframeRateControl(Bitrate payload, FrameRate source, PixelSize size, MediaTime coalesce)
    {
        BacklogLimit = coalesce + MediaTime.FromSeconds(0.45);
        _bytesPerSecond = payload.BytesPerSecond;
        _fps = source.Hertz;
        // A first intra picture in about 1.3 s: some 0.12 byte a pixel at this quality.
        while (_step < Ladder.Length - 1 && 0.12 * Ladder[_step + 1].Of(size).Area <= _bytesPerSecond * 1.3)
            _step++;
    }

    /// <summary>Ticks between keyframes that this rate is best spent on: 8 at 8 kbit/s and 15 frames/s.</summary>
    public double TargetInterval => Math.Clamp(_fps * 0.53 * Math.Pow(1000 / Math.Max(_bytesPerSecond, 1), 0.45), 2, _fps * 1.6);

    public double MinInterval => Math.Max(1, TargetInterval * 0.5);

    public double MaxInterval => Math.Min(TargetInterval * 1.75, _fps * 2);

    /// <summary>No keyframe is made while more than this waits to be sent.</summary>
    public MediaTime BacklogLimit { get; }

    /// <summary>Bytes that were spent ahead of time; negative when some were saved.</summary>
    public double Debt => _debt;

    public KeyframeSpend Next(double ticksSinceLast, bool intra)
    {
        var target = _bytesPerSecond * Math.Max(ticksSinceLast, 1) / _fps - _debt * 0.25;
        var quality = intra ? Math.Max(_quality, 50) : _quality;
        return new((int)Math.Round(Math.Clamp(quality, BestQuality, WorstQuality)), Ladder[_step], Math.Max(target, 40));
    }

    /// <summary>Tells what a keyframe cost, and how many ticks after the one before it came.</summary>
    public void Spent(int bytes, double ticksSinceLast, bool intra)
    {
        var share = _bytesPerSecond * ticksSinceLast / _fps;
        _debt = Math.Clamp(_debt + bytes - share, -_bytesPerSecond * 2, _bytesPerSecond * 6);
        if (intra)
        {
            _settled = 0;
            return;
        }

        // Six steps of cq-level halve or double a keyframe's size, near enough.
        var error = Math.Log2((bytes + 20.0) / Math.Max(share, 40)) * 2 + _debt / _bytesPerSecond * 1.2;
        _quality = Math.Clamp(_quality + Math.Clamp(error, -2.5, 4), BestQuality, WorstQuality + 2);
        _settled++;
        Resize();
    }

    private void Resize()
    {
        // The first pictures are small so that they come soon; after that a size is kept for some keyframes.
        var patience = _settled < 12 ? 2 : 6;
        if (_settled % patience != 0)
            return;
        if (_quality >= WorstQuality - 1 && _step > 1)
        {
            _step--;
            _quality -= 7;
        }
        else if (_quality < 47 && _step < Ladder.Length - 1 && _debt < _bytesPerSecond * 0.5)
        {
            _step++;
            _quality += 6;
        }
    }
}
