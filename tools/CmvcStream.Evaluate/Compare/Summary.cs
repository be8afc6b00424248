using CmvcStream.Evaluate.Measure;
using CmvcStream.Evaluate.Metrics;

namespace CmvcStream.Evaluate.Compare;

/// <summary>How often we were better than the best of the others.</summary>
internal sealed record Tally(int Won, int Lost, int Unreached)
{
    public int Of => Won + Lost + Unreached;

    public static Tally Count(IEnumerable<Duel> duels)
    {
        var by = duels.CountBy(d => d.Outcome).ToDictionary();
        return new(by.GetValueOrDefault(Outcome.Won), by.GetValueOrDefault(Outcome.Lost), by.GetValueOrDefault(Outcome.Unreached));
    }
}

/// <summary>Bjontegaard deltas of one metric over all clips, ours against one codec.</summary>
/// <param name="Median">Per cent of rate; below 0 we need less. Null where no clip's curves overlap.</param>
/// <param name="Mean">The same, mean.</param>
/// <param name="Clips">Whose curves overlap.</param>
/// <param name="Of">All clips.</param>
/// <param name="Overlap">The part of our curve's range of the metric that the codec's reaches as well, mean over those clips.</param>
internal sealed record RateSaving(double? Median, double? Mean, int Clips, int Of, double? Overlap);

/// <summary>What an evaluation says as a whole.</summary>
internal static class Summary
{
    public static RateSaving Saving(Evaluation evaluation, string codec, Basis basis, Metric metric)
    {
        var deltas = evaluation.Clips.Select(c => Saving(c, codec, basis, metric)).ToArray();
        var known = deltas.Where(d => d?.RatePercent is not null).ToArray();
        if (known.Length == 0)
            return new(null, null, 0, deltas.Length, null);
        double[] percents = [.. known.Select(d => d!.RatePercent!.Value)];
        return new(Median(percents), percents.Average(), known.Length, deltas.Length, known.Average(d => d!.Metrics?.OfTest ?? 0));
    }

    /// <summary>Rate that ours needs for the same metric as a codec at its best configurations; null without two points of each.</summary>
    public static BjontegaardResult? Saving(ClipResult clip, string codec, Basis basis, Metric metric)
    {
        var front = PeerCurves.Front(clip.Peers.Where(p => p.Codec == codec), basis, metric);
        var anchor = front.Select(p => new RatePoint(p.Kbps(basis), metric.Of(p.Scores)!.Value)).ToArray();
        var ours = clip.Ours.Where(o => metric.Of(o.Scores) is not null).Select(o => new RatePoint(o.Kbps(basis), metric.Of(o.Scores)!.Value)).ToArray();
        return anchor.Length < 2 || ours.Length < 2 ? null : BjontegaardDelta.Compare(anchor, ours, metric.HigherIsBetter);
    }

    /// <summary>The codecs that were compared with, in the order of the first clip's encodings.</summary>
    public static IReadOnlyList<string> Codecs(Evaluation evaluation) => [.. evaluation.Clips.SelectMany(c => c.Peers).Select(p => p.Codec).Distinct()];

    /// <summary>Metrics that were measured.</summary>
    public static IReadOnlyList<Metric> Metrics(Evaluation evaluation) =>
        [.. Metric.All.Where(m => evaluation.Clips.Any(c => c.Ours.Any(o => m.Of(o.Scores) is not null)))];

    public static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return sorted.Length % 2 == 1 ? sorted[sorted.Length / 2] : (sorted[(sorted.Length / 2) - 1] + sorted[sorted.Length / 2]) / 2;
    }
}
