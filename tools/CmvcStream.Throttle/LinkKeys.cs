using CmvcStream.Core.Control;
using CmvcStream.Core.Media;

namespace CmvcStream.Throttle;

/// <summary>Keys that change the link while people watch.</summary>
internal static class LinkKeys
{
    public const string Help = "+ - rate by a quarter, D d delay by 50 ms, L l loss by 1 %, o outage on and off, q quit, ? this";

    private static readonly MediaTime DelayStep = MediaTime.FromMilliseconds(50);

    /// <summary>Does what a key asks for; the line to show, or null when the key means nothing.</summary>
    public static string? Press(char key, ThrottleRelay relay)
    {
        if (key is '?' or 'h')
            return Help;
        try
        {
            if (key == 'o' && relay.Link.IsUp(relay.Now))
                relay.StartOutage(null);
            else if (key == 'o')
                relay.EndOutage();
            else if (key is '+' or '=' or '-' or 'd' or 'D' or 'l' or 'L')
                relay.Change(link => Changed(key, link));
            else
                return null;
            return LinkText.Describe(relay.Link, relay.Now);
        }
        catch (ArgumentException e)
        {
            return e.Message;
        }
    }

    private static LinkSettings Changed(char key, LinkSettings link) => key switch
    {
        '+' or '=' => WithRate(link, 1.25),
        '-' => WithRate(link, 0.8),
        'D' => link with { Delay = link.Delay + DelayStep },
        'd' => WithDelay(link, link.Delay > DelayStep ? link.Delay - DelayStep : MediaTime.Zero),
        'L' => link with { Loss = Math.Min(1, Math.Round(link.Loss + 0.01, 4)) },
        _ => link with { Loss = Math.Max(0, Math.Round(link.Loss - 0.01, 4)) },
    };

    private static LinkSettings WithRate(LinkSettings link, double factor) => link.MeanRate is { } rate
        ? link with { Rate = new(Math.Max(1, (long)Math.Round(rate.BitsPerSecond * factor))), Trace = null }
        : throw new ArgumentException("there is no rate to change: give --rate, or set one through --control");

    private static LinkSettings WithDelay(LinkSettings link, MediaTime delay) =>
        link with { Delay = delay, Jitter = delay < link.Jitter ? delay : link.Jitter };
}
