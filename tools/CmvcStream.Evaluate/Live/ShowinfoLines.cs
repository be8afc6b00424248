using System.Globalization;
using System.Text.RegularExpressions;

namespace CmvcStream.Evaluate.Live;

/// <summary>What ffmpeg's showinfo filter says of each picture that passes, and when it said so.</summary>
internal sealed partial class ShowinfoLines
{
    private readonly List<(double Pts, double Wall)> _lines = [];
    private readonly TaskCompletionSource _first = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>The first has come.</summary>
    public Task First => _first.Task;

    public int Count
    {
        get
        {
            lock (_lines)
                return _lines.Count;
        }
    }

    /// <summary>Unix time of source time 0, by the line that came with the least delay.</summary>
    public double Began
    {
        get
        {
            lock (_lines)
                return _lines.Count == 0 ? UnixTime.Now : _lines.Min(l => l.Wall - l.Pts);
        }
    }

    /// <summary>Source time of each picture in turn.</summary>
    public double[] Times
    {
        get
        {
            lock (_lines)
                return [.. _lines.Select(l => l.Pts)];
        }
    }

    /// <summary>Takes a line of standard error; others are ignored.</summary>
    public void Take(string line) => Take(line, UnixTime.Now);

    public void Take(string line, double wall)
    {
        if (Line().Match(line) is not { Success: true } match)
            return;
        lock (_lines)
        {
            // A picture without a time (NOPTS) keeps its place, as pictures and lines are paired by number; it counts as the one before again.
            var known = double.TryParse(match.Groups["time"].Value, CultureInfo.InvariantCulture, out var pts);
            _lines.Add((known ? pts : _lines.LastOrDefault().Pts, wall));
        }

        _first.TrySetResult();
    }

    [GeneratedRegex(@"showinfo.*\] n: *\d+ pts: *\S+ pts_time: *(?<time>\S+)")]
    private static partial Regex Line();
}

/// <summary>Seconds since 1970, as all programs and pages of one machine have them.</summary>
internal static class UnixTime
{
    public static double Now => (DateTime.UtcNow - DateTime.UnixEpoch).TotalSeconds;
}
