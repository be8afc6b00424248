using System.Globalization;

namespace CmvcStream.Throttle;

/// <summary>What people at a terminal get: a line that says every second how the link is doing, and keys.</summary>
/// <param name="relay">The link.</param>
/// <param name="log">Where lines go.</param>
/// <param name="isTerminal">Whether those who run this are at one at all.</param>
/// <param name="quit">Ends the program.</param>
internal sealed class RelayTerminal(ThrottleRelay relay, RelayLog log, bool isTerminal, Action quit)
{
    private static readonly TimeSpan LookForKeys = TimeSpan.FromMilliseconds(50);
    private (double Seconds, long Up, long Down) _last;

    /// <summary>Reads keys until cancelled; nothing where the input is no terminal.</summary>
    public async Task ReadKeysAsync(CancellationToken cancellationToken)
    {
        if (!isTerminal || Console.IsInputRedirected)
            return;
        while (!cancellationToken.IsCancellationRequested)
        {
            while (Console.KeyAvailable)
            {
                var key = Console.ReadKey(intercept: true).KeyChar;
                if (key == 'q')
                    quit();
                else if (LinkKeys.Press(key, relay) is { } line)
                    log.Write(line);
            }

            await Task.Delay(LookForKeys, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Replaces the status line; nothing where standard error is no terminal.</summary>
    public void Show(ThrottleStats stats)
    {
        if (!isTerminal)
            return;
        var seconds = Math.Max(1e-3, stats.Seconds - _last.Seconds);
        log.Status(string.Create(CultureInfo.InvariantCulture,
            $"up {Rate(stats.Up.Bytes - _last.Up, seconds)} queue {stats.Up.QueueBytes} B lost {stats.Up.Lost} | down {Rate(stats.Down.Bytes - _last.Down, seconds)} queue {stats.Down.QueueBytes} B lost {stats.Down.Lost} | {LinkText.Describe(relay.Link, relay.Now)}"));
        _last = (stats.Seconds, stats.Up.Bytes, stats.Down.Bytes);
    }

    private static string Rate(long bytes, double seconds) => string.Create(CultureInfo.InvariantCulture, $"{bytes * 8 / 1000 / seconds:0.0} kbit/s");
}
