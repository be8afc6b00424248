using System.CommandLine;
using System.Globalization;
using CmvcStream.Core.Control;
using CmvcStream.Core.Media;

namespace CmvcStream.Simulate;

/// <summary>cmvc-simulate link: how estimate, rate, mode and queue follow a link.</summary>
internal static class LinkCommand
{
    public static Command Build()
    {
        var rates = new Option<string>("--rate") { Description = "rates of the link, each with the second that it begins at: 16k,2k@30,16k@60", DefaultValueFactory = _ => "8k" };
        var delay = new Option<double>("--delay") { Description = "one-way delay in milliseconds", DefaultValueFactory = _ => 300 };
        var jitter = new Option<double>("--jitter") { Description = "plus or minus, in milliseconds" };
        var seconds = new Option<int>("--seconds") { DefaultValueFactory = _ => 90 };
        var most = new Option<Bitrate?>("--max-rate") { CustomParser = r => Bitrate.Parse(r.Tokens[0].Value) };
        var seed = new Option<int>("--seed");
        var loss = new Option<double>("--loss") { Description = "in per cent" };
        var datagrams = new Option<bool>("--udp") { Description = "over UDP; else over TCP" };
        var trace = new Option<string?>("--trace") { Description = "Mahimahi trace, scaled to a mean of --rate" };
        var outage = new Option<string?>("--outage") { Description = "20s@60s" };
        var table = new Option<string?>("--out") { Description = "tab-separated table, a line each 100 ms" };
        var command = new Command("link", "The sender's control over a link, in virtual time, with recorded sizes instead of pictures.") { rates, delay, jitter, loss, datagrams, trace, outage, seconds, most, seed, table };
        command.SetAction(parsed =>
        {
            var parts = parsed.GetRequiredValue(rates).Split(',').Select(p => p.Split('@')).Select(p => (At: p.Length > 1 ? double.Parse(p[1], CultureInfo.InvariantCulture) : 0, Link: Settings(p[0]))).ToList();
            LinkSettings Settings(string rate)
            {
                var value = Bitrate.Parse(rate);
                var lines = parsed.GetValue(trace) is { } file ? File.ReadAllLines(file) : null;
                return new()
                {
                    Loss = parsed.GetValue(loss) / 100,
                    Trace = lines is null ? null : LinkTrace.Parse(lines, (double)value.BitsPerSecond / LinkTrace.Parse(lines).Mean.BitsPerSecond),
                    Outages = parsed.GetValue(outage) is { } cut ? [LinkOutage.Parse(cut)] : [],
                    Rate = lines is null ? value : null,
                    Delay = MediaTime.FromMilliseconds(parsed.GetValue(delay)),
                    Jitter = MediaTime.FromMilliseconds(parsed.GetValue(jitter)),
                    Queue = LinkSettings.DefaultQueue(value),
                };
            }

            var simulation = new LinkSimulation(new(parsed.GetValue(seconds)) { Link = parts[0].Link, Changes = parts[1..], MaxRate = parsed.GetValue(most), Seed = parsed.GetValue(seed), Datagrams = parsed.GetValue(datagrams) }, RecordedCodec.Recording());
            simulation.Run();
            if (parsed.GetValue(table) is { } path)
                File.WriteAllLines(path, simulation.Moments.Select(m => string.Create(CultureInfo.InvariantCulture, $"{m.At:0.0}\t{m.Capacity:0}\t{m.Estimate:0}\t{m.Rate:0}\t{m.Mode}\t{m.QueueBytes:0}\t{m.QueueSeconds:0.00}\t{m.InFlight}")));
            Console.WriteLine(Summary(simulation));
        });
        return command;
    }

    private static string Summary(LinkSimulation s)
    {
        var settled = s.Moments.Where(m => m.At > 15).ToList();
        var capacity = settled.Sum(m => m.Capacity) / 10 / 8;
        var wire = settled[^1].Carried - settled[0].Carried;
        var queues = settled.Select(m => m.QueueSeconds).ToList();
        var gaps = s.Keyframes.Where(k => k.Arrived > 15).Select(k => k.Arrived).ToList();
        var longest = gaps.Count > 1 ? gaps.Zip(gaps.Skip(1), (a, b) => b - a).Max() : double.NaN;
        var late = s.Keyframes.Where(k => k.Arrived > 15).Select(k => k.Arrived - k.Captured);
        return string.Create(CultureInfo.InvariantCulture, $"utilisation {wire / capacity:0.000}, queue p95 {PlotsCommand.Percentile(queues, 0.95):0.00} s, most {queues.Max():0.00} s, keyframes {gaps.Count}, longest gap {longest:0.00} s, keyframe delay p95 {PlotsCommand.Percentile(late, 0.95):0.00} s, mean estimate {settled.Average(m => m.Estimate) / 1000:0.00}, dropped {s.Sender.DroppedKeyframes}, first keyframe {s.Keyframes.FirstOrDefault().Arrived:0.00} s, stalls {s.Sender.Estimator.Stalls}; ")
            + string.Join("; ", s.Sender.Changes.Select(c => string.Create(CultureInfo.InvariantCulture, $"{c.At.Seconds:0.0} s {c.To} ({c.Estimate})")));
    }
}
