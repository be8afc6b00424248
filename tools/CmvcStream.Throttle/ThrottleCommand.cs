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
            : await parsed.InvokeAsync(new() { Output = output, Error = error, ProcessTerminationTimeout = null });
    }

    private static RootCommand Build(TextWriter output, TextWriter error)
    {
        var listen = CommandOptions.Value("--listen", "HOST:PORT", HostPort.Parse, "Where to accept connections; port 0 takes any free one.");
        var to = CommandOptions.Value("--to", "HOST:PORT", ParseTarget, "Where to connect each of them on to.");
        listen.Required = to.Required = true;
        var rate = CommandOptions.Value<Bitrate?>("--rate", "8kbps", t => Bitrate.Parse(t),
            "Bits a second of each direction, headers included, shared by all connections; no limit unless given.");
        var delay = CommandOptions.Value("--delay", "200ms", Duration.Parse, "One-way delay, added to the time that sending takes.");
        var jitter = CommandOptions.Value("--jitter", "50ms", Duration.Parse, "The delay varies by plus or minus this; order is kept.");
        var queue = CommandOptions.Value<DataSize?>("--queue", "4KB", t => DataSize.Parse(t),
            "Bytes that may wait for the link in each direction; 4KB, or one second of the rate if that is more, unless given.");
        var seed = new Option<int>("--seed") { HelpName = "N", Description = "The same seed draws the same jitter." };
        var stats = CommandOptions.Value("--stats", "FILE.json", t => t, "Statistics, replaced every second and at the end.");
        var duration = CommandOptions.Value<MediaTime?>("--for", "30s", t => CommandOptions.ParseLimit(t), "Stop after this time.");
        var command = new RootCommand("Relays TCP through a link of limited rate and with delay.")
        {
            listen, to, rate, delay, jitter, queue, seed, stats, duration,
        };
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

            var options = new ThrottleOptions(r.GetValue(listen), r.GetValue(to), link)
            {
                StatsFile = r.GetValue(stats),
                For = r.GetValue(duration),
            };
            return await ThrottleRun.RunAsync(options, output, error, stop);
        });
        return command;
    }

    private static HostPort ParseTarget(string text) => HostPort.Parse(text) is { Port: > 0 } target
        ? target
        : throw new FormatException($"'{text}' is nothing to connect to: the port is 1 to 65535");
}
