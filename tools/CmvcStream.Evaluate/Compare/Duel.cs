using CmvcStream.Evaluate.Measure;

namespace CmvcStream.Evaluate.Compare;

/// <summary>How one of our results compares with the others at as many bytes.</summary>
internal enum Outcome
{
    Won,
    Lost,

    /// <summary>None of the others goes so low.</summary>
    Unreached,
}

/// <summary>One of our results against the best of the others, by one metric.</summary>
/// <param name="Clip">Which clip.</param>
/// <param name="Ours">Our result.</param>
/// <param name="Kbps">Its rate on the basis of the comparison: what the others get.</param>
/// <param name="Value">Its metric.</param>
/// <param name="Best">The best of the others at this rate; null where none reaches it.</param>
/// <param name="Least">The others' encoding with the fewest bytes.</param>
internal sealed record Duel(ClipResult Clip, OurResult Ours, double Kbps, double Value, PeerValue? Best, PeerPoint Least)
{
    public required Metric Metric { get; init; }

    public Outcome Outcome => Best is null ? Outcome.Unreached : Metric.Better(Value, Best.Value) ? Outcome.Won : Outcome.Lost;

    /// <summary>All that can be fought over one rate: clips with our result and others' encodings that were measured by the metric.</summary>
    public static IEnumerable<Duel> All(Evaluation evaluation, double rateKbps, Basis basis, Metric metric)
    {
        foreach (var clip in evaluation.Clips)
        {
            var ours = clip.Ours.Find(o => o.RateKbps == rateKbps);
            var least = PeerCurves.Least(clip.Peers.Where(p => metric.Of(p.Scores) is not null), basis);
            if (ours is null || metric.Of(ours.Scores) is not { } value || least is null)
                continue;
            // A budget, not what was used of it, would favour ours where it leaves bytes unused.
            var kbps = ours.Kbps(basis);
            yield return new(clip, ours, kbps, value, PeerCurves.Best(clip.Peers, basis, metric, kbps), least) { Metric = metric };
        }
    }
}
