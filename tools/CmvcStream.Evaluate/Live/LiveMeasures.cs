namespace CmvcStream.Evaluate.Live;

/// <summary>Times without a new picture for more than a second, from the first picture on.</summary>
/// <param name="Count">How many.</param>
/// <param name="LongestSeconds">The longest time between new pictures, freeze or not.</param>
internal readonly record struct Freezes(int Count, double LongestSeconds);

/// <summary>Seconds from capture to display.</summary>
internal readonly record struct LiveLatency(double P50, double P95);

/// <summary>What the times of shown pictures say about a run.</summary>
internal static class LiveMeasures
{
    public const double FreezeSeconds = 1;

    /// <summary>Seconds until something was to be seen; null: never.</summary>
    public static double? FirstPicture(IReadOnlyList<LivePicture> pictures) => pictures.Count == 0 ? null : pictures.Min(p => p.WallSeconds);

    /// <summary>Share of the captured frames that were shown.</summary>
    public static double ShownShare(IReadOnlyList<LivePicture> pictures, int fps, double seconds)
    {
        var captured = (int)Math.Round(seconds * fps);
        return pictures.Select(p => (int)Math.Round(p.SourceSeconds * fps)).Where(n => n >= 0 && n < captured).Distinct().Count() / (double)captured;
    }

    /// <summary>Freezes until the source's end; one that holds the last picture ends there too. Null: there was no picture.</summary>
    public static Freezes? FreezesOf(IReadOnlyList<LivePicture> pictures, double seconds)
    {
        if (pictures.Count == 0)
            return null;
        var walls = pictures.Select(p => p.WallSeconds).Order().ToList();
        walls.Add(Math.Max(seconds, walls[^1]));
        var gaps = walls.Zip(walls.Skip(1), (a, b) => b - a).ToArray();
        return new(gaps.Count(g => g > FreezeSeconds), gaps.Max());
    }

    /// <summary>From capture to display, over the shown pictures; null: there was none.</summary>
    public static LiveLatency? Latency(IReadOnlyList<LivePicture> pictures)
    {
        if (pictures.Count == 0)
            return null;
        var sorted = pictures.Select(p => p.WallSeconds - p.SourceSeconds).Order().ToArray();
        return new(Of(0.5), Of(0.95));
        double Of(double share) => sorted[(int)Math.Ceiling(share * sorted.Length) - 1];
    }
}
