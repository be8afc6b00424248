using System.Diagnostics;
using System.Text.Json;
using Xunit;

namespace EndToEnd.Tests.Session;

/// <summary>
/// Two network namespaces with one link (veth) between them, on which nothing speaks by itself. The test skips where they cannot be made.
/// They go when this does, or with the process that runs the tests, however that ends.
/// </summary>
internal sealed class NetworkNamespaces : IDisposable
{
    public const string ReceiverAddress = "10.77.0.2";

    private const int Ethernet = 14;

    private const string SenderAddress = "10.77.0.1", Link = "cmvc0", SenderMac = "02:00:00:00:00:01", ReceiverMac = "02:00:00:00:00:02";

    private readonly Process _remover;

    public NetworkNamespaces()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "network namespaces are Linux's");
        Ip = $"{Environment.GetEnvironmentVariable("PATH")}:/usr/sbin:/sbin".Split(':').Select(folder => Path.Combine(folder, "ip")).FirstOrDefault(File.Exists) ?? "";
        Assert.SkipWhen(Ip.Length == 0, "there is no 'ip' here: install iproute2");
        // Its input ends when we close it, and when we are no more; what kills us by our group's number does not reach it.
        _remover = Start("sh", "-c", "trap '' HUP INT TERM; read _; for name; do \"$0\" netns del \"$name\"; done", Ip, Sender, Receiver);
        try
        {
            foreach (var name in new[] { Sender, Receiver })
            {
                SkipUnlessDone("network namespaces cannot be made here (they take root)", Ip, "netns", "add", name);
                SkipUnlessDone("no program can be run in a network namespace here", Ip, "netns", "exec", name, "true");
                // Before there is a link, which would otherwise announce itself.
                SkipUnlessDone("IPv6 cannot be turned off in a network namespace here", Ip, "netns", "exec", name, "sh", "-c",
                    "cd /proc/sys/net/ipv6/conf 2>/dev/null || exit 0; echo 1 >all/disable_ipv6 && echo 1 >default/disable_ipv6");
            }

            SkipUnlessDone("two network namespaces cannot be linked here (veth)", Ip, "-n", Sender, "link", "add", Link, "type", "veth", "peer", "name", Link, "netns", Receiver);
            Ready(Sender, (SenderAddress, SenderMac), (ReceiverAddress, ReceiverMac));
            Ready(Receiver, (ReceiverAddress, ReceiverMac), (SenderAddress, SenderMac));
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>iproute2's program.</summary>
    public string Ip { get; }

    public string Sender { get; } = $"cmvc-{Environment.ProcessId}-tx";

    public string Receiver { get; } = $"cmvc-{Environment.ProcessId}-rx";

    /// <summary>The IP packets that the link's end in this namespace has carried so far.</summary>
    public Traffic Count(string name)
    {
        using var json = JsonDocument.Parse(Do("-n", name, "-s", "-j", "link", "show", "dev", Link));
        var counters = json.RootElement.EnumerateArray().Single().GetProperty("stats64");
        return new(IpOf(counters.GetProperty("tx")), IpOf(counters.GetProperty("rx")));

        static Tally IpOf(JsonElement counter)
        {
            var all = Tally.Of(counter);
            return all with { Bytes = all.Bytes - Ethernet * all.Packets };
        }
    }

    public void Dispose()
    {
        _remover.StandardInput.Close();
        _remover.WaitForExit();
        _remover.Dispose();
    }

    private static Process Start(string program, params string[] arguments) =>
        Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true })!;

    private static (int Exit, string Output, string Errors) Run(string program, params string[] arguments)
    {
        using var process = Start(program, arguments);
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEnd();
        var errors = process.StandardError.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output, errors.Trim());
    }

    private static void SkipUnlessDone(string otherwise, string program, params string[] arguments)
    {
        var (exit, _, errors) = Run(program, arguments);
        Assert.SkipUnless(exit == 0, $"{otherwise}: {errors}");
    }

    private string Do(params string[] arguments)
    {
        var (exit, output, errors) = Run(Ip, arguments);
        Assert.True(exit == 0, $"ip {string.Join(' ', arguments)}: {errors}");
        return output;
    }

    private void Ready(string name, (string Ip, string Mac) own, (string Ip, string Mac) other)
    {
        Do("-n", name, "address", "add", own.Ip + "/30", "dev", Link);
        // Segments leave TCP one at a time, with headers of their own, so that each is counted (veth would otherwise take several as one packet of up
        // to 64 KB). What is received needs nothing: veth counts it as it was sent, before GRO.
        Do("-n", name, "link", "set", Link, "address", own.Mac, "gso_max_segs", "1", "up");
        Do("-n", name, "neighbour", "add", other.Ip, "lladdr", other.Mac, "dev", Link, "nud", "permanent");
    }
}

internal sealed record Tally(long Bytes, long Packets)
{
    /// <param name="json">Has bytes and packets.</param>
    public static Tally Of(JsonElement json) => new(json.GetProperty("bytes").GetInt64(), json.GetProperty("packets").GetInt64());
}

internal sealed record Traffic(Tally Tx, Tally Rx)
{
    public Traffic Less(Traffic before) =>
        new(new(Tx.Bytes - before.Tx.Bytes, Tx.Packets - before.Tx.Packets), new(Rx.Bytes - before.Rx.Bytes, Rx.Packets - before.Rx.Packets));
}
