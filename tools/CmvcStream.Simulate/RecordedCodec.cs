using System.Globalization;
using CmvcStream.Core.Codec;
using CmvcStream.Core.Control;
using CmvcStream.Core.Media;

namespace CmvcStream.Simulate;

/// <summary>
/// Stands in for the encoder where only sizes matter: how hard each keyframe was to code, recorded from a clip, and the law by which its bytes
/// follow quality and coded size. The rate control runs on it as on the real one.
/// </summary>
internal sealed class RecordedCodec
{
    private const double StepsPerHalf = 5.5, AreaExponent = 0.75, IntraBytes = 0.05, IntraQuality = 52;

    private readonly double[] _levels;
    private readonly PixelSize _size;
    private readonly Random _random;
    private int _next;

    /// <param name="size">Of the source.</param>
    /// <param name="seed">Where in the recording it begins.</param>
    /// <param name="levels">log2 of a predicted keyframe's bytes at quality 0 and full size, keyframe by keyframe.</param>
    public RecordedCodec(PixelSize size, int seed, double[] levels)
    {
        (_size, _levels) = (size, levels);
        _random = new(seed);
        _next = _random.Next(levels.Length);
    }

    /// <summary>What tools/CmvcStream.Simulate/recorded.tsv holds: a busy street, 480x270, at 8 kbit/s.</summary>
    public static double[] Recording()
    {
        using var reader = new StreamReader(typeof(RecordedCodec).Assembly.GetManifestResourceStream("recorded.txt")!);
        return [.. reader.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(l => l[0] != '#').Select(l => double.Parse(l, CultureInfo.InvariantCulture))];
    }

    /// <summary>Fits and codes the next keyframe as the sender's stage does; its bytes.</summary>
    public int Code(KeyframeRateControl rate, bool intra, double available)
    {
        var level = _levels[_next++ % _levels.Length];
        var spend = rate.Plan(intra, available);
        while (true)
        {
            var bytes = Bytes(level, intra, spend);
            if (rate.Revise(spend, bytes) is { } better)
            {
                spend = better;
            }
            else if (intra || bytes <= rate.Most)
            {
                rate.Spent(bytes, 0, intra, spend.Quality);
                return bytes;
            }
            else
            {
                spend = rate.Plan(intra = true, available);
            }
        }
    }

    private int Bytes(double level, bool intra, KeyframeSpend spend)
    {
        double area = spend.Scale.Of(_size).Area;
        var bytes = intra
            ? IntraBytes * area * Math.Pow(2, (IntraQuality - spend.Quality) / StepsPerHalf)
            : Math.Pow(2, level - spend.Quality / StepsPerHalf) * Math.Pow(area / _size.Area, AreaExponent);
        return 20 + (int)bytes;
    }
}
