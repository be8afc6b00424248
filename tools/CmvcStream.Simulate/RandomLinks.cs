using System.CommandLine;
using System.Globalization;
using CmvcStream.Core.Control;
using CmvcStream.Core.Media;

namespace CmvcStream.Simulate;

/// <summary>
/// cmvc-simulate random: links that nobody has thought of. Every few seconds rate, delay, jitter and loss become others, and now and then the link
/// is gone. What must hold on all of them is in <see cref="Faults"/>.
/// </summary>
internal static class RandomLinks
{
    /// <summary>Windows of at least this many seconds and packets may exceed what was allowed by at most <see cref="Tolerance"/>.</summary>
    private const double Window = 10;
    private const int WindowPackets = 8;
    private const double Tolerance = 1.05;

    /// <summary>
    /// Seconds: a sender that sends nothing for longer, on a link that is up and empty, hangs. At 1 kbit/s a connection that is held up by retransmissions is waited
    /// for 18 s, and a contender whose hello is lost too for 12 s and its 6 s.
    /// </summary>
    private const double Hangs = 40;

    /// <summary>Bytes waiting before and in the link: 4 s of the fastest, which is what may be under way on a lossy one with a long round trip.</summary>
    private const double MostQueued = 25_000;

    public static Command Build()
    {
        var seeds = new Option<int>("--seeds") { DefaultValueFactory = _ => 100 };
        var seconds = new Option<int>("--seconds") { Description = "of each", DefaultValueFactory = _ => 3600 };
        var command = new Command("random", "Many random links in virtual time; fails where the sender hangs, queues without bound or exceeds its budget.") { seeds, seconds };
        command.SetAction(parsed =>
        {
            var levels = RecordedCodec.Recording();
            var failed = 0;
            for (var seed = 0; seed < parsed.GetValue(seeds); seed++)
            {
                var simulation = Run(seed, parsed.GetValue(seconds), levels);
                var faults = Faults(simulation);
                failed += faults.Count > 0 ? 1 : 0;
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                    $"seed {seed}: {simulation.Packets.Count} packets, {simulation.Keyframes.Count} keyframes, {simulation.Sender.Changes.Count} changes of mode, {simulation.Reconnections} fresh connections, most queued {simulation.Moments.Max(m => m.QueueBytes):0} B")
                    + (faults.Count > 0 ? "; FAULTS: " + string.Join("; ", faults) : ""));
            }

            Console.WriteLine($"{parsed.GetValue(seeds)} links, {failed} with faults");
            return failed > 0 ? 1 : 0;
        });
        return command;
    }

    public static LinkSimulation Run(int seed, int seconds, double[] levels, bool unpaced = false)
    {
        var random = new Random(seed);
        var changes = new List<(double At, LinkSettings Link)>();
        for (var at = 0.0; at < seconds; at += 5 + random.NextDouble() * 55)
            changes.Add((at, Draw(random, at)));
        var simulation = new LinkSimulation(new(seconds) { Link = changes[0].Link, Changes = changes[1..], Seed = seed, Datagrams = seed % 2 == 1, Unpaced = unpaced }, levels);
        simulation.Run();
        return simulation;
    }

    /// <summary>What must not be, and was.</summary>
    public static List<string> Faults(LinkSimulation s)
    {
        var faults = new List<string>();
        if (WorstWindow(s.Packets) is var worst && worst.Ratio > Tolerance)
            faults.Add(string.Create(CultureInfo.InvariantCulture, $"{worst.Ratio:0.00} times the budget from {worst.From:0.0} s to {worst.To:0.0} s"));
        if (s.Moments.MaxBy(m => m.QueueBytes) is var full && full.QueueBytes > MostQueued)
            faults.Add(string.Create(CultureInfo.InvariantCulture, $"{full.QueueBytes:0} B queued at {full.At:0.0} s"));
        var (quiet, since) = (0.0, 0.0);
        var next = 0;
        foreach (var moment in s.Moments)
        {
            for (; next < s.Packets.Count && s.Packets[next].At <= moment.At; next++)
                quiet = 0;
            quiet += moment.Capacity > 0 && moment.QueueBytes < 200 ? 0.1 : 0;
            if (quiet > Hangs)
                since = moment.At;
        }

        if (since > 0)
            faults.Add(string.Create(CultureInfo.InvariantCulture, $"nothing sent for more than {Hangs} s until {since:0.0} s"));
        return faults;
    }

    /// <summary>The window in which most was sent beyond what was allowed.</summary>
    private static (double Ratio, double From, double To) WorstWindow(List<(double At, int Wire, double Granted)> packets)
    {
        var sums = new double[packets.Count + 1];
        for (var i = 0; i < packets.Count; i++)
            sums[i + 1] = sums[i] + packets[i].Wire;
        (double Ratio, double From, double To) worst = default;
        for (var i = 0; i < packets.Count; i++)
        {
            // A longer window is made of such ones.
            for (var j = i + WindowPackets; j < packets.Count && packets[j].At - packets[i].At < 3 * Window; j++)
            {
                if (packets[j].At - packets[i].At < Window && j - i < 3 * WindowPackets)
                    continue;
                var ratio = (sums[j + 1] - sums[i + 1]) / Math.Max(packets[j].Granted - packets[i].Granted, 1);
                if (ratio > worst.Ratio)
                    worst = (ratio, packets[i].At, packets[j].At);
            }
        }

        return worst;
    }

    private static LinkSettings Draw(Random random, double at)
    {
        var rate = new Bitrate((long)(1000 * Math.Pow(50, random.NextDouble())));
        var delay = MediaTime.FromMilliseconds(20 + 600 * random.NextDouble() * random.NextDouble());
        return new()
        {
            Rate = rate,
            Delay = delay,
            Jitter = MediaTime.FromMilliseconds(random.Next(3) == 0 ? delay.Milliseconds * 0.5 * random.NextDouble() : 0),
            Loss = random.Next(2) == 0 ? 0.1 * random.NextDouble() : 0,
            LossBurst = random.Next(4) == 0 ? 1.5 + 3 * random.NextDouble() : null,
            Queue = LinkSettings.DefaultQueue(rate),
            Outages = random.Next(6) == 0 ? [new(MediaTime.FromSeconds(at + 5 * random.NextDouble()), MediaTime.FromSeconds(1 + 29 * random.NextDouble()))] : [],
        };
    }
}
