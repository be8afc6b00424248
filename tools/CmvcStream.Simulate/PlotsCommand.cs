using System.CommandLine;
using System.Globalization;
using CmvcStream.Core.Control;
using CmvcStream.Core.Media;
using CmvcStream.Protos;

namespace CmvcStream.Simulate;

/// <summary>cmvc-simulate plots: the figures and the tables of docs/link.md.</summary>
internal static class PlotsCommand
{
    /// <summary>Seconds that a stream has to find its link; keyframes, gaps and utilisation count from then on.</summary>
    private const double Settled = 15;

    private const int TraceMean = 8000;

    /// <summary>Recordings in Mahimahi's format that --traces is looked through for.</summary>
    private static readonly string[] TraceFiles = ["ATT-LTE-driving-2016.up", "TMobile-UMTS-driving.up", "Verizon-EVDO-driving.down", "Verizon-EVDO-driving.up"];

    /// <param name="Name">Of the row and of the figure.</param>
    /// <param name="File">Of the figure, without its ending.</param>
    /// <param name="Scenario">Over TCP.</param>
    /// <param name="Down">Seconds: when the link becomes too slow for images, where that is one moment.</param>
    /// <param name="Up">Seconds: when it is fast enough, or there, again.</param>
    private sealed record Course(string Name, string File, LinkScenario Scenario, double? Down = null, double? Up = null);

    public static Command Build()
    {
        var folder = new Option<string>("--out") { Description = "folder for the figures (SVG)", Required = true };
        var traces = new Option<string?>("--traces") { Description = "folder with Mahimahi's traces: " + string.Join(", ", TraceFiles) };
        var command = new Command("plots", "The figures and tables of docs/link.md: the tables on standard output, in Markdown.") { folder, traces };
        command.SetAction(parsed => Run(parsed.GetRequiredValue(folder), parsed.GetValue(traces), [0, 1, 2, 3, 4], Console.Out, Console.Error));
        return command;
    }

    /// <summary>Runs everything.</summary>
    /// <param name="folder">For the figures; made where it is not there.</param>
    /// <param name="traces">Folder with traces; null: none.</param>
    /// <param name="seeds">Each constant link is run with each of them.</param>
    /// <param name="tables">Takes the tables.</param>
    /// <param name="notes">Takes what was left out.</param>
    public static void Run(string folder, string? traces, int[] seeds, TextWriter tables, TextWriter notes)
    {
        var levels = RecordedCodec.Recording();
        Directory.CreateDirectory(folder);
        tables.WriteLine("| link | over | utilisation | queueing p95, s | longest gap, s | capture to arrival p95, s |");
        tables.WriteLine("|---|---|---|---|---|---|");
        foreach (var rate in new[] { 4000, 8000, 16_000 })
        {
            foreach (var loss in new[] { 0, 0.05 })
            {
                foreach (var datagrams in new[] { false, true })
                    tables.WriteLine(Constant(rate, loss, datagrams, [.. seeds.Select(seed => Simulate(new(300) { Link = Link(rate, 300, loss), Seed = seed, Datagrams = datagrams }, levels))]));
            }
        }

        tables.WriteLine();
        tables.WriteLine("| course | over | to TT2V after, s | to IT2V after, s | switches | in TT2V, s | link too slow for images, s | most queue, s | keyframes again after, s |");
        tables.WriteLine("|---|---|---|---|---|---|---|---|---|");
        foreach (var course in Courses(traces, notes))
        {
            var simulation = Simulate(course.Scenario, levels);
            if (course.File.Length > 0)
                File.WriteAllText(Path.Combine(folder, course.File + ".svg"), LinkPlot.Draw(course.Name + ", TCP", simulation.Moments));
            tables.WriteLine(Row(course, "TCP", simulation));
            tables.WriteLine(Row(course, "UDP", Simulate(course.Scenario with { Datagrams = true }, levels)));
        }
    }

    private static List<Course> Courses(string? traces, TextWriter notes)
    {
        var courses = new List<Course>();
        foreach (var delay in new[] { 50, 300 })
        {
            courses.Add(new($"16 → 2 → 16 kbit/s, {delay} ms", $"step-{delay}ms", new(180)
            {
                Link = Link(16_000, delay),
                Changes = [(60, Link(2000, delay)), (120, Link(16_000, delay))],
            }, Down: 60, Up: 120));
        }

        var ramp = Enumerable.Range(0, 161).Select(s => (At: 20.0 + s, Link: Link(20_000 - 17_000 * Math.Clamp(s <= 80 ? s : 160 - s, 0, 70) / 70, 300))).ToList();
        courses.Add(new("20 → 3 → 20 kbit/s in 160 s, 300 ms", "ramp", new(200) { Link = ramp[0].Link, Changes = ramp }));
        courses.Add(new("8 kbit/s, 300 ms, 5 % loss", "loss", new(180) { Link = Link(8000, 300, 0.05) }));
        courses.Add(new("8 kbit/s, 300 ms, gone from 60 s to 80 s", "outage", new(120)
        {
            Link = Link(8000, 300) with { Outages = [new(MediaTime.FromSeconds(60), MediaTime.FromSeconds(20))] },
        }, Down: 60, Up: 80));
        foreach (var name in TraceFiles)
        {
            if (traces is null || !File.Exists(Path.Combine(traces, name)))
            {
                notes.WriteLine($"left out: trace {name}" + (traces is null ? ": no --traces" : $" is not in {traces}"));
                continue;
            }

            var lines = File.ReadAllLines(Path.Combine(traces, name));
            var link = new LinkSettings
            {
                Trace = LinkTrace.Parse(lines, (double)TraceMean / LinkTrace.Parse(lines).Mean.BitsPerSecond),
                Delay = MediaTime.FromMilliseconds(100),
                Queue = LinkSettings.DefaultQueue(new(TraceMean)),
            };
            courses.Add(new($"{name}, mean of 8 kbit/s, 100 ms", "trace-" + name.Replace('.', '-'), new(300) { Link = link }));
        }

        return courses;
    }

    private static LinkSimulation Simulate(LinkScenario scenario, double[] levels)
    {
        var simulation = new LinkSimulation(scenario, levels);
        simulation.Run();
        return simulation;
    }

    /// <summary>A link of a constant rate, in bit/s, with the usual queue.</summary>
    public static LinkSettings Link(long rate, double delayMs, double loss = 0) => new()
    {
        Rate = new(rate),
        Delay = MediaTime.FromMilliseconds(delayMs),
        Loss = loss,
        Queue = LinkSettings.DefaultQueue(new(rate)),
    };

    /// <summary>Of several runs the mean utilisation, and the worst of the rest.</summary>
    private static string Constant(int rate, double loss, bool datagrams, List<LinkSimulation> runs)
    {
        var used = runs.Average(s =>
        {
            var settled = s.Moments.Where(m => m.At > Settled).ToList();
            return (settled[^1].Carried - settled[0].Carried) * 8 / (rate * (settled[^1].At - settled[0].At));
        });
        var gap = runs.Max(s => Gaps(s).Max());
        var late = runs.Max(s => Percentile(s.Keyframes.Where(k => k.Arrived > Settled).Select(k => k.Arrived - k.Captured), 0.95));
        return string.Create(CultureInfo.InvariantCulture,
            $"| {rate / 1000} kbit/s, 300 ms, {(loss > 0 ? $"{loss * 100:0} % loss" : "no loss")} | {(datagrams ? "UDP" : "TCP")} | {100 * used:0} % | {runs.Max(s => s.QueueDelay!.P95) / 1000:0.00} | {gap:0.0} | {late:0.0} |");
    }

    private static IEnumerable<double> Gaps(LinkSimulation s)
    {
        var arrivals = s.Keyframes.Where(k => k.Arrived > Settled).Select(k => k.Arrived).ToList();
        return arrivals.Zip(arrivals.Skip(1), (a, b) => b - a).DefaultIfEmpty(double.NaN);
    }

    private static string Row(Course course, string over, LinkSimulation s)
    {
        var again = course.Up is { } up && s.Keyframes.Where(k => k.Captured > up).Select(k => (double?)k.Arrived - up).FirstOrDefault() is { } after ? Seconds(after) : "-";
        return string.Create(CultureInfo.InvariantCulture,
            $"| {course.Name} | {over} | {Switched(course.Scenario, s, StreamMode.Tt2V, course.Down, course.Up)} | {Switched(course.Scenario, s, StreamMode.It2V, course.Up)} | {s.Sender.Changes.Count} | {s.Moments.Count(m => m.Mode == StreamMode.Tt2V) / 10} | {s.Moments.Count(m => m.Capacity < RateController.ImagesBelow.BitsPerSecond) / 10} | {s.Moments.Max(m => m.QueueSeconds):0.0} | {again} |");
    }

    /// <summary>Seconds until a mode: since a moment, or, of a trace, since its mean over 5 s crossed the threshold: the middle one, and the longest.</summary>
    private static string Switched(LinkScenario scenario, LinkSimulation s, StreamMode to, double? since, double? until = null)
    {
        var changes = s.Sender.Changes.Where(c => c.To == to).Select(c => c.At.Seconds).ToList();
        if (scenario.Link.Trace is not { } trace)
            return since is { } from && changes.Where(c => c >= from && !(c >= until)).Select(c => (double?)c).FirstOrDefault() is { } at ? Seconds(at - from) : "-";
        var delays = changes.Select(at => SinceCrossed(trace, at, to)).OfType<double>().Order().ToList();
        return delays.Count > 0 ? $"{Seconds(Percentile(delays, 0.5))}, at most {Seconds(delays[^1])}" : "-";
    }

    /// <summary>Seconds for which a trace had been on a mode's side of the threshold at a time; null: it was not, in the 5 s around it.</summary>
    private static double? SinceCrossed(LinkTrace trace, double at, StreamMode to)
    {
        if (!IsFor(at))
            return null;
        var from = at;
        while (from > 0.1 && IsFor(from - 0.1))
            from -= 0.1;
        return at - from;

        bool IsFor(double time)
        {
            var mean = trace.BytesBetween(MediaTime.FromSeconds(Math.Max(time - 2.5, 0)), MediaTime.FromSeconds(time + 2.5)) * 8 / Math.Min(5, time + 2.5);
            return to == StreamMode.Tt2V ? mean < RateController.ImagesBelow.BitsPerSecond : mean > RateController.ImagesAbove.BitsPerSecond;
        }
    }

    private static string Seconds(double value) => value.ToString("0.0", CultureInfo.InvariantCulture);

    /// <summary>Of all values, this part is no more; NaN: there are none.</summary>
    public static double Percentile(IEnumerable<double> values, double part)
    {
        var sorted = values.Order().ToArray();
        return sorted.Length > 0 ? sorted[(int)(part * (sorted.Length - 1))] : double.NaN;
    }
}
