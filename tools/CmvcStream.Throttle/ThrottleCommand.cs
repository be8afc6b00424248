using System.CommandLine;
using System.CommandLine.Invocation;
using CmvcStream.CommandLine;
using CmvcStream.Core.Control;
using CmvcStream.Core.Media;

namespace CmvcStream.Throttle;

/// <summary>The command line of the tool.</summary>
public static class ThrottleCommand
{
    /// <summary>Runs the tool; the result is its exit code: 0 done, 1 failed at run time, 2 wrong usage.</summary>
    public static async Task<int> RunAsync(string[] args, TextWriter output, TextWriter error)
    {
        var parsed = Build(output, error).Parse(args);
        return parsed.Action is ParseErrorAction
            ? CommandOptions.Refuse("throttle", error, parsed.Errors.Select(e => e.Message))
            : await parsed.InvokeAsync(new() { Output = output, Error = error, ProcessTerminationTimeout = TimeSpan.FromSeconds(5) });
    }

    private static RootCommand Build(TextWriter output, TextWriter error)
    {
        var listen = CommandOptions.Value("--listen", "HOST:PORT", "Where to accept connections; port 0 takes any free one.", HostPort.Parse, required: true);
        var to = CommandOptions.Value("--to", "HOST:PORT", "Where to connect each of them on to.", ParseTarget, required: true);
        var rate = CommandOptions.Value<Bitrate?>("--rate", "8kbps", "Bits a second of each direction, headers included, shared by all connections; no limit unless given.", t => Bitrate.Parse(t));
        var delay = CommandOptions.Value("--delay", "200ms", "One-way delay, added to the time that sending takes.", Duration.Parse);
        var jitter = CommandOptions.Value("--jitter", "50ms", "The delay varies by plus or minus this; order is kept.", Duration.Parse);
        var queue = CommandOptions.Value<DataSize?>("--queue", "4KB", "Bytes that may wait for the link in each direction; 4KB or one second of the rate unless given.", t => DataSize.Parse(t));
        var seed = new Option<int>("--seed") { HelpName = "N", Description = "The same seed draws the same jitter." };
        var stats = new Option<string?>("--stats") { HelpName = "FILE.json", Description = "Statistics, replaced every second and at the end." };
        var duration = CommandOptions.Value<MediaTime?>("--for", "30s", "Stop after this time.", t => CommandOptions.ParseLimit(t));
        var command = new RootCommand("Relays TCP through a link of limited rate and with delay.") { listen, to, rate, delay, jitter, queue, seed, stats, duration };
        command.SetAction(async (r, stop) =>
        {
            var link = new LinkSettings
            {
                Rate = r.GetValue(rate),
                Delay = r.GetValue(delay),
                Jitter = r.GetValue(jitter),
                Queue = r.GetValue(queue) ?? LinkSettings.DefaultQueue(r.GetValue(rate)),
                Seed = r.GetValue(seed),
            };
            try
            {
                link.Validate();
            }
            catch (ArgumentException e)
            {
                return CommandOptions.Refuse("throttle", error, [e.Message]);
            }

            var options = new ThrottleOptions(r.GetValue(listen), r.GetValue(to), link) { StatsFile = r.GetValue(stats), For = r.GetValue(duration) };
            return await ThrottleRun.RunAsync(options, output, error, stop);
        });
        return command;
    }

    private static HostPort ParseTarget(string text) => HostPort.Parse(text) is { Port: > 0 } target
        ? target
        : throw new FormatException($"'{text}' is nothing to connect to: the port is 1 to 65535");
}
