using System.CommandLine;
using CmvcStream.CommandLine;
using CmvcStream.Core.Control;
using CmvcStream.Core.Media;

namespace CmvcStream.Throttle;

/// <summary>The options that say what the link is like: a preset, and what is given beside it.</summary>
internal sealed class LinkOptions
{
    private readonly Option<LinkPreset?> _preset = CommandOptions.Value<LinkPreset?>("--preset", "NAME", LinkPreset.Find,
        $"A real link; other options change it. {string.Join(", ", LinkPreset.All.Select(p => p.Name))}; '--preset list' says more.");

    private readonly Option<Bitrate?> _rate = CommandOptions.Value<Bitrate?>("--rate", "8kbps", t => Bitrate.Parse(t),
        "Bits a second of each direction, headers included, shared by all connections; no limit unless given.");

    private readonly Option<MediaTime?> _delay = CommandOptions.Value<MediaTime?>("--delay", "200ms", t => Duration.Parse(t),
        "One-way delay, added to the time that sending takes.");

    private readonly Option<MediaTime?> _jitter = CommandOptions.Value<MediaTime?>("--jitter", "50ms", t => Duration.Parse(t),
        "The delay varies by plus or minus this; order is kept.");

    private readonly Option<(double Loss, double? Burst)?> _loss = CommandOptions.Value<(double, double?)?>("--loss", "2%[,burst=5]",
        t => LinkText.ParseLoss(t), "Share of packets that are lost, each for itself or so many in a row on average.");

    private readonly Option<double?> _reorder = CommandOptions.Value<double?>("--reorder", "1%", t => LinkText.ParseShare(t),
        "Share of packets that the next one overtakes.");

    private readonly Option<double?> _duplicate = CommandOptions.Value<double?>("--duplicate", "1%", t => LinkText.ParseShare(t),
        "Share of packets that are sent twice.");

    private readonly Option<DataSize?> _queue = CommandOptions.Value<DataSize?>("--queue", "4KB", t => DataSize.Parse(t),
        "Bytes that may wait for the link in each direction; 4KB, or one second of the rate if that is more, unless given.");

    private readonly Option<LinkOutage[]> _outage = new("--outage")
    {
        HelpName = "20s@60s",
        Description = "An outage of 20 s, beginning 60 s after the start; may be given more than once.",
        AllowMultipleArgumentsPerToken = false,
        CustomParser = result =>
        {
            try
            {
                return [.. result.Tokens.Select(t => LinkOutage.Parse(t.Value))];
            }
            catch (FormatException e)
            {
                result.AddError($"--outage: {e.Message}");
                return [];
            }
        },
    };

    private readonly Option<string?> _trace = CommandOptions.Value<string?>("--trace", "FILE", t => t,
        "When packets may leave, instead of a rate: a file in Mahimahi's format.");

    private readonly Option<double?> _scale = CommandOptions.Value<double?>("--scale", "0.01", ParseScale,
        "Multiplies the bytes of each opportunity of the trace, not time.");

    private readonly Option<int> _seed = new("--seed") { HelpName = "N", Description = "The same seed draws the same jitter and loss." };

    public void AddTo(RootCommand command)
    {
        foreach (var option in new Option[] { _preset, _rate, _delay, _jitter, _loss, _reorder, _duplicate, _queue, _outage, _trace, _scale, _seed })
            command.Options.Add(option);
    }

    /// <summary>The link that a command line asks for.</summary>
    /// <exception cref="FormatException">What is asked for does not go together, or the trace is none; the message says so.</exception>
    /// <exception cref="ArgumentException">A figure is out of range; the message says so.</exception>
    public LinkSettings Read(ParseResult r)
    {
        var link = r.GetValue(_preset)?.Link ?? new() { Queue = new(0) };
        if (r.GetValue(_rate) is { } rate)
            link = link with { Rate = rate, Trace = null, Queue = new(0) };
        if (r.GetValue(_trace) is { } file)
        {
            if (r.GetValue(_rate) is not null)
                throw new FormatException("--rate and --trace exclude each other: the trace says when how much may leave; use --scale to make it slower");
            link = link with { Rate = null, Trace = ReadTrace(file, r.GetValue(_scale) ?? 1), Queue = new(0) };
        }
        else if (r.GetValue(_scale) is not null)
        {
            throw new FormatException("--scale belongs to --trace FILE, which is missing");
        }

        if (r.GetValue(_delay) is { } delay) // a preset's jitter gives way, one that is given does not
            link = link with { Delay = delay, Jitter = delay < link.Jitter ? delay : link.Jitter };
        if (r.GetValue(_loss) is { } loss)
            link = link with { Loss = loss.Loss, LossBurst = loss.Burst };
        link = link with
        {
            Jitter = r.GetValue(_jitter) ?? link.Jitter,
            Reorder = r.GetValue(_reorder) ?? link.Reorder,
            Duplicate = r.GetValue(_duplicate) ?? link.Duplicate,
            Outages = r.GetValue(_outage) ?? [],
            Seed = r.GetValue(_seed),
        };
        if (r.GetValue(_queue) is { } queue)
            link = link with { Queue = queue };
        else if (link.Queue.Bytes == 0)
            link = link with { Queue = LinkSettings.DefaultQueue(link.MeanRate) };
        link.Validate();
        return link;
    }

    /// <summary>All presets, a line each.</summary>
    public static string ListPresets() => string.Concat(LinkPreset.All.Select(p => $"{p.Name,-12} {p.Summary}\n"));

    private static double? ParseScale(string text) =>
        double.TryParse(text, System.Globalization.NumberStyles.Float, System.Globalization.CultureInfo.InvariantCulture, out var scale)
            ? scale
            : throw new FormatException($"'{text}' is no number; write for example 0.01");

    private static LinkTrace ReadTrace(string file, double scale)
    {
        try
        {
            return LinkTrace.Parse(File.ReadLines(file), scale);
        }
        catch (FormatException e)
        {
            throw new FormatException($"--trace {file}: {e.Message}", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException or ArgumentException)
        {
            throw new FormatException($"--trace {file}: cannot be read: {e.Message}", e);
        }
    }
}
