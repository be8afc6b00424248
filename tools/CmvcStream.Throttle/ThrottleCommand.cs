using System.CommandLine;
using System.CommandLine.Invocation;
using CmvcStream.CommandLine;
using CmvcStream.Core.Media;

namespace CmvcStream.Throttle;

/// <summary>The command line of the tool.</summary>
public static class ThrottleCommand
{
    /// <summary>Runs the tool; the result is its exit code: 0 done, 1 failed at run time, 2 wrong usage.</summary>
    public static async Task<int> RunAsync(string[] args, TextWriter output, TextWriter error)
    {
        ArgumentNullException.ThrowIfNull(args);
        if (args is ["--preset", "list"] or ["--preset=list"])
        {
            await output.WriteAsync(LinkOptions.ListPresets());
            return 0;
        }

        var parsed = Build(output, error).Parse(args);
        return parsed.Action is ParseErrorAction
            ? CommandOptions.Refuse("throttle", error, parsed.Errors.Select(e => e.Message))
            : await parsed.InvokeAsync(new() { Output = output, Error = error, ProcessTerminationTimeout = null });
    }

    private static RootCommand Build(TextWriter output, TextWriter error)
    {
        var listen = CommandOptions.Value("--listen", "HOST:PORT", HostPort.Parse, "Where to accept connections; port 0 takes any free one.", required: true);
        var to = CommandOptions.Value("--to", "HOST:PORT", ParseTarget, "Where to connect each of them on to.", required: true);
        var udp = new Option<bool>("--udp") { Description = "Relay UDP on the same port number as well, under the same link." };
        var link = new LinkOptions();
        var control = CommandOptions.Value<HostPort?>("--control", "HOST:PORT", t => HostPort.Parse(t),
            "Where to look at the link and to change it over HTTP; port 0 takes any free one.");
        var stats = CommandOptions.Value("--stats", "FILE.json", t => t, "Statistics, replaced every second and at the end.");
        var duration = CommandOptions.Value<MediaTime?>("--for", "30s", t => CommandOptions.ParseLimit(t), "Stop after this time.");
        var command = new RootCommand("Relays TCP and UDP through a link that is slow, late and loses packets. On a terminal, '?' names the keys.") { listen, to, udp };
        link.AddTo(command);
        foreach (var option in new Option[] { control, stats, duration })
            command.Options.Add(option);
        command.SetAction(async (r, stop) =>
        {
            try
            {
                var options = new ThrottleOptions(r.GetValue(listen), r.GetValue(to), link.Read(r))
                {
                    Udp = r.GetValue(udp),
                    Control = r.GetValue(control),
                    StatsFile = r.GetValue(stats),
                    For = r.GetValue(duration),
                };
                return await ThrottleRun.RunAsync(options, output, error, stop);
            }
            catch (Exception e) when (e is FormatException or ArgumentException)
            {
                return CommandOptions.Refuse("throttle", error, [e.Message]);
            }
        });
        return command;
    }

    private static HostPort ParseTarget(string text) => HostPort.Parse(text) is { Port: > 0 } target
        ? target
        : throw new FormatException($"'{text}' is nothing to connect to: the port is 1 to 65535");
}
