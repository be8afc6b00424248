using System.Globalization;
using CmvcStream.Core.Media;

namespace CmvcStream.Core.Control;

/// <summary>
/// When a link may send, in the form of Mahimahi (Netravali et al., USENIX ATC 2015): each line is a millisecond at which 1500 bytes
/// may leave, and the whole repeats after its last line. What is not used of an opportunity is lost; a packet larger than one
/// takes as many as it needs, and small ones share one.
/// </summary>
public sealed class LinkTrace
{
    /// <summary>Bytes of one opportunity before it is scaled.</summary>
    public const int OpportunityBytes = 1500;

    private readonly long[] _times; // microseconds, rising, the last one above 0

    private LinkTrace(long[] times, double scale)
    {
        _times = times;
        Scale = scale;
        Work = (long)Math.Round(OpportunityBytes * scale * LinkWork.Byte);
    }

    /// <summary>What the bytes of each opportunity were multiplied with.</summary>
    public double Scale { get; }

    /// <summary>After this time the trace begins again.</summary>
    public MediaTime Period => new(_times[^1]);

    /// <summary>What it carries on average when there is always something to send.</summary>
    public Bitrate Mean => new((long)Math.Max(1, Math.Round(_times.Length * OpportunityBytes * Scale * 8e6 / _times[^1])));

    /// <summary>One opportunity, in the unit of <see cref="LinkWork"/>.</summary>
    internal long Work { get; }

    /// <summary>Reads a trace; empty lines and lines that begin with # are passed over.</summary>
    /// <param name="lines">Milliseconds, rising.</param>
    /// <param name="scale">Multiplies the bytes of each opportunity; not time.</param>
    /// <exception cref="FormatException">No trace; the message says which line is wrong and what is expected.</exception>
    public static LinkTrace Parse(IEnumerable<string> lines, double scale = 1)
    {
        ArgumentNullException.ThrowIfNull(lines);
        var times = new List<long>();
        var number = 0;
        foreach (var line in lines)
        {
            number++;
            var text = line.AsSpan().Trim();
            if (text.IsEmpty || text[0] == '#')
                continue;
            if (!long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var ms) || ms > 1_000_000_000)
                throw new FormatException($"line {number}: '{Shorten(text)}' is no time; each line is one whole number of milliseconds, as in Mahimahi's traces");
            if (times.Count > 0 && ms * 1000 < times[^1])
                throw new FormatException($"line {number}: {ms} comes after {times[^1] / 1000}; sort the lines (sort -n), as times must not fall");
            times.Add(ms * 1000);
        }

        if (times.Count == 0)
            throw new FormatException("no times in it; each line is a millisecond at which 1500 bytes may leave");
        if (times[^1] == 0)
            throw new FormatException("all times are 0; the last line is also the length of the trace, after which it repeats");
        return Create([.. times], scale);
    }

    /// <summary>A trace from times.</summary>
    /// <exception cref="FormatException">The scale is out of range.</exception>
    internal static LinkTrace Create(long[] microseconds, double scale) => scale is >= 1e-6 and <= 1000
        ? new(microseconds, scale)
        : throw new FormatException(string.Create(CultureInfo.InvariantCulture, $"scale {scale} is out of range: 0.000001 to 1000"));

    /// <summary>Bytes that it carries between two times when there is always something to send.</summary>
    public double BytesBetween(MediaTime from, MediaTime to) => (FirstFrom(to) - FirstFrom(from)) * OpportunityBytes * Scale;

    /// <summary>When an opportunity comes; they are numbered from 0 over all repetitions.</summary>
    internal MediaTime TimeOf(long number) => new((number / _times.Length * _times[^1]) + _times[number % _times.Length]);

    /// <summary>The first opportunity that is not before a time.</summary>
    internal long FirstFrom(MediaTime time)
    {
        // The end of one round and time 0 of the next are the same moment: what is at the end of a round comes first.
        var round = Math.Max(0, time.Microseconds - 1) / _times[^1];
        var rest = time.Microseconds - (round * _times[^1]);
        int low = 0, high = _times.Length - 1;
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (_times[middle] < rest)
                low = middle + 1;
            else
                high = middle;
        }

        return (round * _times.Length) + low;
    }

    private static string Shorten(ReadOnlySpan<char> text) => text.Length <= 30 ? text.ToString() : $"{text[..30]}...";
}

/// <summary>The unit of what a link has to do for a packet: bits times a million, so that work over bit/s is microseconds.</summary>
internal static class LinkWork
{
    /// <summary>The work of one byte.</summary>
    public const long Byte = 8_000_000;
}
