using CmvcStream.Evaluate.Measure;

namespace CmvcStream.Evaluate.Compare;

/// <summary>What is compared: payload with payload, or what the wire carries with what the wire carries. The two are never mixed.</summary>
internal enum Basis
{
    /// <summary>Bytes that the codecs made.</summary>
    Payload,

    /// <summary>Bytes on the wire, all headers included; the others' as RTP over UDP.</summary>
    Wire,
}

/// <summary>What others reach at a number of bytes.</summary>
/// <param name="Value">The metric, interpolated along one configuration's curve (linear in the logarithm of the rate).</param>
/// <param name="Below">The encoding with at most these bytes.</param>
/// <param name="Above">The next with more bytes; null where the value is that of <paramref name="Below"/> itself.</param>
internal sealed record PeerValue(double Value, PeerPoint Below, PeerPoint? Above);

/// <summary>Curves through the others' encodings.</summary>
internal static class PeerCurves
{
    public static double Kbps(this PeerPoint point, Basis basis) => basis == Basis.Payload ? point.PayloadKbps : point.WireKbps;

    public static double Kbps(this OurResult result, Basis basis) => basis == Basis.Payload ? result.PayloadKbps : result.WireKbps;

    /// <summary>
    /// The best that any configuration reaches at a rate; null where none goes so low. Nothing is extrapolated: a configuration counts from
    /// its least rate on, and beyond its greatest with its best.
    /// </summary>
    public static PeerValue? Best(IEnumerable<PeerPoint> points, Basis basis, Metric metric, double kbps)
    {
        PeerValue? best = null;
        foreach (var curve in points.GroupBy(p => p.Configuration))
        {
            if (At(Front(curve, basis, metric), basis, metric, kbps) is { } value && (best is null || metric.Better(value.Value, best.Value)))
                best = value;
        }

        return best;
    }

    /// <summary>The encoding with the fewest bytes of all, and of those the best.</summary>
    public static PeerPoint? Least(IEnumerable<PeerPoint> points, Basis basis) => points.MinBy(p => p.Kbps(basis));

    /// <summary>Those encodings that none beats with as few bytes, from the fewest bytes to the most: better from each to the next.</summary>
    public static List<PeerPoint> Front(IEnumerable<PeerPoint> points, Basis basis, Metric metric)
    {
        var front = new List<PeerPoint>();
        foreach (var point in points.Where(p => metric.Of(p.Scores) is not null).OrderBy(p => p.Kbps(basis)))
        {
            if (front.Count == 0 || metric.Better(Of(metric, point), Of(metric, front[^1])))
                front.Add(point);
        }

        return front;
    }

    private static PeerValue? At(List<PeerPoint> front, Basis basis, Metric metric, double kbps)
    {
        var above = front.FindIndex(p => p.Kbps(basis) > kbps);
        if (above == 0 || front.Count == 0)
            return null;
        if (above < 0)
            return new(Of(metric, front[^1]), front[^1], null);
        var (low, high) = (front[above - 1], front[above]);
        var share = Math.Log(kbps / low.Kbps(basis)) / Math.Log(high.Kbps(basis) / low.Kbps(basis));
        return share == 0 ? new(Of(metric, low), low, null) : new(Of(metric, low) + (share * (Of(metric, high) - Of(metric, low))), low, high);
    }

    private static double Of(Metric metric, PeerPoint point) => metric.Of(point.Scores)!.Value;
}
