using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using CmvcStream.Evaluate.Compare;
using CmvcStream.Evaluate.Measure;

namespace CmvcStream.Evaluate.Peers;

/// <summary>
/// Curves of rate and quality of the others' configurations, up to a rate. What was measured is kept in a folder and not measured again
/// while encoder, arguments, sequence and scoring are the same.
/// </summary>
internal sealed class PeerStudy(Reference reference, Func<Scorer> scorer, string folder, string key)
{
    private readonly ConcurrentBag<Scorer> _scorers = [];

    /// <summary>How many encodings were made, not known from earlier.</summary>
    public int Made => _made;

    private int _made;

    /// <summary>
    /// Measures one codec, all configurations at a time from the fewest bytes to the most. A configuration is given up at its first point beyond the rate, and
    /// where <see cref="IsHopeless"/> says that more bytes cannot bring it back.
    /// </summary>
    /// <param name="codec">Whom to measure.</param>
    /// <param name="mostKbps">Of payload.</param>
    /// <param name="jobs">Encodings at a time.</param>
    /// <param name="stop">Ends it; what is measured by then is kept.</param>
    /// <exception cref="EvaluateException">The encoder fails.</exception>
    public async Task<List<PeerPoint>> MeasureAsync(PeerCodec codec, double mostKbps, int jobs, CancellationToken stop)
    {
        Directory.CreateDirectory(folder);
        var points = new List<PeerPoint>();
        var alive = PeerConfiguration.Of(codec, reference.Size).ToList();
        for (var level = 0; alive.Count > 0; level++)
        {
            var measured = new PeerPoint[alive.Count];
            await Parallel.ForEachAsync(Enumerable.Range(0, alive.Count), new ParallelOptions { MaxDegreeOfParallelism = jobs, CancellationToken = stop },
                async (i, cancelled) => measured[i] = await MeasureAsync(alive[i], alive[i].Setting.Controls[level], cancelled));
            points.AddRange(measured);
            bool GoesOn(PeerConfiguration configuration, PeerPoint last) => level + 1 < configuration.Setting.Controls.Length
                && last.PayloadKbps <= mostKbps && !points.Any(p => IsHopeless(last, p));
            alive = [.. alive.Where((c, i) => GoesOn(c, measured[i]))];
        }

        return points;
    }

    /// <summary>Frees what scores; measuring again makes it anew.</summary>
    public void Release()
    {
        while (_scorers.TryTake(out var free))
            free.Dispose();
    }

    /// <summary>
    /// Whether a point is beaten on every metric of pictures (all but tLP), with no more bytes on either basis, by one that will not fall behind
    /// again: of the same or a larger size and frame rate (a smaller one is the first to gain nothing from more bytes), and not of zero latency
    /// where the point itself looks ahead. The point counts all the same; only more bytes are not tried.
    /// </summary>
    internal static bool IsHopeless(PeerPoint point, PeerPoint other) =>
        other.Configuration != point.Configuration && other.Size <= point.Size && other.Rate <= point.Rate
        && (other.Setting == point.Setting || other.Setting == "lookahead")
        && other.PayloadKbps <= point.PayloadKbps && other.WireKbps <= point.WireKbps
        && Metric.All.Where(m => m != Metric.Tlp).All(m => m.Of(point.Scores) is not { } a || m.Of(other.Scores) is { } b && m.Better(b, a));

    private async Task<PeerPoint> MeasureAsync(PeerConfiguration configuration, string control, CancellationToken stop)
    {
        var name = Name($"{configuration.Codec.Name} {string.Join(' ', configuration.Arguments(reference.Size, reference.Plan.Fps, control))}");
        var file = Path.Combine(folder, name + ".json");
        if (PartFile.Read<PeerPoint>(file) is { } known)
            return known;
        var mine = _scorers.TryTake(out var free) ? free : scorer();
        try
        {
            var point = await PeerEncoder.EncodeAsync(configuration, control, reference, mine, folder, Path.Combine(folder, name + ".jpg"), stop);
            PartFile.Write(file, point);
            Interlocked.Increment(ref _made);
            return point;
        }
        finally
        {
            _scorers.Add(mine);
        }
    }

    private string Name(string what) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{key} {what}")).AsSpan(0, 10));
}
