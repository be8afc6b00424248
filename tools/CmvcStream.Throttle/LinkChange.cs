using System.Text.Json;
using CmvcStream.Core.Control;
using CmvcStream.Core.Media;

namespace CmvcStream.Throttle;

/// <summary>What someone asks the link to become, as JSON: figures as on the command line, and an outage.</summary>
internal static class LinkChange
{
    private const string Known = "rate, delay, jitter, loss, reorder, duplicate, queue, outage";

    /// <summary>Applies it as a whole or not at all.</summary>
    /// <exception cref="FormatException">It says something that is no change of a link; the message says what.</exception>
    /// <exception cref="ArgumentException">A figure is out of range; the message says which.</exception>
    public static void Apply(ThrottleRelay relay, JsonElement change)
    {
        if (change.ValueKind != JsonValueKind.Object)
            throw new FormatException($"a change is an object, for example {{\"rate\": \"4kbps\", \"loss\": \"2%\"}}; it may have {Known}");
        try
        {
            relay.Change(link =>
            {
                foreach (var property in change.EnumerateObject())
                    link = Apply(link, property, relay.Now);
                return link;
            });
        }
        catch (InvalidOperationException e) // how JsonElement says so
        {
            throw new FormatException("a name or a value in it is no valid Unicode text", e);
        }
    }

    private static LinkSettings Apply(LinkSettings link, JsonProperty property, MediaTime now)
    {
        var (name, value) = (property.Name, property.Value);
        try
        {
            return name switch
            {
                "rate" => link with { Rate = value.ValueKind == JsonValueKind.Null ? null : Bitrate.Parse(Text(value)), Trace = null },
                "delay" => link with { Delay = Duration.Parse(Text(value)) },
                "jitter" => link with { Jitter = Duration.Parse(Text(value)) },
                "loss" when LinkText.ParseLoss(Text(value)) is var (loss, burst) => link with { Loss = loss, LossBurst = burst },
                "reorder" => link with { Reorder = LinkText.ParseShare(Text(value)) },
                "duplicate" => link with { Duplicate = LinkText.ParseShare(Text(value)) },
                "queue" => link with { Queue = DataSize.Parse(Text(value)) },
                "outage" => link with { Outages = Outages(link, value, now) },
                _ => throw new FormatException($"unknown; there are {Known}"),
            };
        }
        catch (FormatException e)
        {
            throw new FormatException($"{name}: {e.Message}", e);
        }
    }

    /// <summary>True: from now until it is ended; false: ends the one that there is; "20s": from now, so long. Later ones stay.</summary>
    private static List<LinkOutage> Outages(LinkSettings link, JsonElement value, MediaTime now)
    {
        List<LinkOutage> outages = [.. link.Outages.Where(o => o.Start > now)];
        if (value.ValueKind == JsonValueKind.False)
            return outages;
        var length = value.ValueKind == JsonValueKind.True ? LinkOutage.Endless : Duration.Parse(Text(value));
        outages.Add(new(now, length));
        return outages;
    }

    private static string Text(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => value.GetString()!,
        JsonValueKind.Number => value.GetRawText(),
        _ => throw new FormatException($"{value.GetRawText()} is no value; write it as on the command line, in quotes"),
    };
}
