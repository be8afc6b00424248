using System.Security.Cryptography;
using System.Text;
using CmvcStream.Evaluate.Compare;
using CmvcStream.Evaluate.Measure;

namespace CmvcStream.Evaluate.Peers;

/// <summary>
/// Curves of rate and quality of one of the others on one sequence, up to a rate. What was measured is kept in a folder and not measured again
/// while encoder, arguments, sequence and scoring are the same. For one thread at a time.
/// </summary>
internal sealed class PeerStudy(Reference reference, Scorer scorer, string folder, string key)
{
    /// <summary>An encoder whose coarsest quantiser takes so many times what it is asked for gives the same for every lower rate.</summary>
    private const double AtItsLeast = 1.25;

    /// <summary>How many encodings were made, not known from earlier.</summary>
    public int Made { get; private set; }

    /// <summary>Measures all configurations of a codec, those first that look ahead, large and have many frames.</summary>
    /// <param name="codec">Whom to measure.</param>
    /// <param name="mostKbps">Of payload.</param>
    /// <param name="stop">Ends it; what is measured by then is kept.</param>
    /// <exception cref="EvaluateException">The encoder fails.</exception>
    public async Task<List<PeerPoint>> MeasureAsync(PeerCodec codec, double mostKbps, CancellationToken stop)
    {
        Directory.CreateDirectory(folder);
        var points = new List<PeerPoint>();
        foreach (var configuration in PeerConfiguration.Of(codec, reference.Size))
            points.AddRange(await ClimbAsync(configuration, mostKbps, points, stop));
        return points;
    }

    /// <summary>
    /// Whether a point adds nothing to what is known, and more bytes would not either: at its bytes, on both bases, every metric of pictures (all but
    /// tLP) is better in configurations that will not fall behind again: of the same or a larger size and frame rate (a smaller one is the first to
    /// gain nothing from more bytes), and not of zero latency where the point itself looks ahead.
    /// </summary>
    internal static bool AddsNothing(PeerPoint point, IEnumerable<PeerPoint> known)
    {
        var above = known.Where(p => p.Configuration != point.Configuration && p.Size <= point.Size && p.Rate <= point.Rate
            && (p.Setting == point.Setting || p.Setting == PeerSetting.Lookahead)).ToList();
        return Metric.All.Where(m => m != Metric.Tlp).All(m => m.Of(point.Scores) is not { } value
            || Enum.GetValues<Basis>().All(basis => PeerCurves.Best(above, basis, m, point.Kbps(basis)) is { } best && m.Better(best.Value, value)));
    }

    /// <summary>
    /// One configuration, from few bytes to many. It is given up at its first point beyond the rate or that adds nothing (which counts all the same), and rates
    /// that it cannot go down to are not tried. The lowest of all comes last, where there is room for it.
    /// </summary>
    private async Task<List<PeerPoint>> ClimbAsync(PeerConfiguration configuration, double mostKbps, List<PeerPoint> known, CancellationToken stop)
    {
        var (lowest, ladder) = (configuration.Setting.Ladder[0], configuration.Setting.Ladder[1..]);
        var points = new List<PeerPoint>();
        foreach (var rung in ladder.Where(rung => points.Count == 0 || !(points[^1].PayloadKbps > AtItsLeast * rung.Kbps)))
        {
            points.Add(await MeasureAsync(configuration, rung.Arguments, stop));
            if (points[^1].PayloadKbps > mostKbps || AddsNothing(points[^1], known))
                break;
        }

        if (!(points[0].PayloadKbps > AtItsLeast * ladder[0].Kbps))
            points.Insert(0, await MeasureAsync(configuration, lowest.Arguments, stop));
        return points;
    }

    private async Task<PeerPoint> MeasureAsync(PeerConfiguration configuration, string control, CancellationToken stop)
    {
        var name = Name($"{configuration.Codec.Name} {string.Join(' ', configuration.Arguments(reference.Size, reference.Plan.Fps, control))}");
        var file = Path.Combine(folder, name + ".json");
        if (PartFile.Read<PeerPoint>(file) is { } kept)
            return kept;
        var point = await PeerEncoder.EncodeAsync(configuration, control, reference, scorer, folder, Path.Combine(folder, name + ".jpg"), stop);
        PartFile.Write(file, point);
        Made++;
        return point;
    }

    private string Name(string what) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{key} {what}")).AsSpan(0, 10));
}
