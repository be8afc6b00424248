using CmvcStream.Core.Control;
using Xunit;

namespace CmvcStream.Throttle.Tests;

public sealed class ThrottleCommandTests
{
    private static readonly string[] _fine = ["--listen", "127.0.0.1:0", "--to", "127.0.0.1:9"];

    [Theory]
    [InlineData("rate 0", "--rate", "0")]
    [InlineData("rate", "--rate", "10.1Gbps")]
    [InlineData("rate", "--rate", "10001Mbps")]
    [InlineData("--rate", "--rate", "-8kbps")]
    [InlineData("--rate", "--rate", "fast")]
    [InlineData("--rate", "--rate")]
    [InlineData("--delay", "--delay", "8kbps")]
    [InlineData("jitter", "--delay", "10ms", "--jitter", "11ms")]
    [InlineData("queue", "--queue", "0")]
    [InlineData("--seed", "--seed", "x")]
    [InlineData("--for", "--for", "0s")]
    [InlineData("--loss", "--loss", "2")]
    [InlineData("--loss", "--loss", "-1%")]
    [InlineData("--loss", "--loss", "2%,bursts")]
    [InlineData("--loss", "--loss", "2%,burst=x")]
    [InlineData("loss burst", "--loss", "2%,burst=0.5")]
    [InlineData("loss 80 %", "--loss", "80%,burst=2")]
    [InlineData("reorder", "--reorder", "60%")]
    [InlineData("--duplicate", "--duplicate", "101%")]
    [InlineData("--outage", "--outage", "20s")]
    [InlineData("--outage", "--outage", "5s@1s", "--outage", "0s@9s")]
    [InlineData("--trace", "--trace", "no-such-file")]
    [InlineData("--scale belongs to --trace", "--scale", "0.1")]
    [InlineData("--scale", "--trace", "no-such-file", "--scale", "x")]
    [InlineData("--rate and --trace", "--trace", "no-such-file", "--rate", "8kbps")]
    [InlineData("iridium-2k4, hf-radio", "--preset", "isdn")]
    [InlineData("--control", "--control", "8080")]
    [InlineData("extra", "extra")]
    public async Task RunAsync_WrongUsage_NamesItAndExitsWith2(string named, params string[] args)
    {
        var (code, output, error) = await RunAsync([.. _fine, .. args]);

        Assert.Equal(2, code);
        Assert.Contains(named, error, StringComparison.Ordinal);
        Assert.Empty(output);
    }

    [Theory]
    [InlineData("--listen", "--to", "127.0.0.1:9")]
    [InlineData("--to", "--listen", "127.0.0.1:0")]
    [InlineData("--to", "--listen", "127.0.0.1:0", "--to", "127.0.0.1:0")]
    [InlineData("--listen", "--listen", "5000", "--to", "127.0.0.1:9")]
    public async Task RunAsync_NoAddress_NamesTheOptionAndExitsWith2(string named, params string[] args)
    {
        var (code, _, error) = await RunAsync(args);

        Assert.Equal(2, code);
        Assert.Contains(named, error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("line 2: 5 comes after 7", 1, "7\n5\n")]
    [InlineData("no times", 1, "\n")]
    [InlineData("scale 0 is out of range", 0, "7\n")]
    public async Task RunAsync_BadTrace_SaysWhereAndWhat(string named, double scale, string content)
    {
        var file = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(file, content);
            var (code, _, error) = await RunAsync(
                [.. _fine, "--trace", file, "--scale", scale.ToString(System.Globalization.CultureInfo.InvariantCulture)]);
            Assert.Equal(2, code);
            Assert.Contains(named, error, StringComparison.Ordinal);
            Assert.Contains(file, error, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public async Task RunAsync_PresetList_NamesEachWithALine()
    {
        var (code, output, _) = await RunAsync(["--preset", "list"]);
        Assert.Equal(0, code);
        Assert.All(["iridium-2k4 ", "hf-radio ", "certus ", "gprs ", "edge ", "lte-fade "], name => Assert.Contains(name, output, StringComparison.Ordinal));
        Assert.Equal(LinkPreset.All.Count, output.Count(c => c == '\n'));
    }

    [Theory]
    [InlineData("no limit, delay 0 ± 0 ms, loss 0 %", 4000)]
    [InlineData("8 kbit/s, delay 200 ± 50 ms, loss 2 %", 4000, "--rate", "8kbps", "--delay", "200ms", "--jitter", "50ms", "--loss", "2%")]
    [InlineData("80 kbit/s, delay 0 ± 0 ms, loss 2.5 % in bursts of 4", 10_000, "--rate", "80kbps", "--loss", "2.5%,burst=4")]
    [InlineData("2.4 kbit/s, delay 900 ± 200 ms, loss 0 %", 3000, "--preset", "iridium-2k4")]
    [InlineData("3 kbit/s, delay 100 ± 100 ms, loss 1 %", 4000, "--preset", "iridium-2k4", "--rate", "3kbps", "--delay", "100ms", "--loss", "1%")]
    [InlineData("2.4 kbit/s, delay 1300 ± 0 ms, loss 0 %", 9000, "--preset", "hf-radio", "--queue", "9KB", "--jitter", "0ms", "--loss", "0")]
    [InlineData("trace of 30 kbit/s, delay 40 ± 15 ms, loss 0 %", 16_000, "--preset", "lte-fade")]
    [InlineData("9 kbit/s, delay 40 ± 15 ms, loss 0 %", 4000, "--preset", "lte-fade", "--rate", "9kbps")]
    [InlineData("no limit, delay 0 ± 0 ms, loss 0 %, OUTAGE", 4000, "--outage", "9s@100s", "--outage", "1s@0s")]
    public void Read_Options_PresetIsOverriddenByWhatIsGiven(string link, long queue, params string[] args)
    {
        var options = new LinkOptions();
        var command = new System.CommandLine.RootCommand();
        options.AddTo(command);
        var parsed = command.Parse(args);
        Assert.Empty(parsed.Errors);

        var settings = options.Read(parsed);
        Assert.Equal(link, LinkText.Describe(settings, default));
        Assert.Equal(queue, settings.Queue.Bytes);
    }

    [Fact]
    public async Task RunAsync_ControlPortInUse_ExitsWith1()
    {
        await using var fixture = await RelayFixture.StartAsync(new());
        var (code, output, error) = await RunAsync([.. _fine, "--control", fixture.Relay.ListenAt.ToString()]);

        Assert.Equal(1, code);
        Assert.Contains("--control", error, StringComparison.Ordinal);
        Assert.Empty(output);
    }

    [Fact]
    public async Task RunAsync_ControlAndUdp_ReadyLineSaysWhere()
    {
        var (code, output, _) = await RunAsync([.. _fine, "--udp", "--control", "127.0.0.1:0", "--for", "100ms"]);

        Assert.Equal(0, code);
        Assert.Matches("^ready listen=127\\.0\\.0\\.1:[1-9][0-9]* control=http://127\\.0\\.0\\.1:[1-9][0-9]*/link\n$", output);
    }

    [Fact]
    public async Task RunAsync_PortInUse_ExitsWith1()
    {
        await using var fixture = await RelayFixture.StartAsync(new());
        var (code, output, error) = await RunAsync(["--listen", fixture.Relay.ListenAt.ToString(), "--to", "127.0.0.1:9"]);

        Assert.Equal(1, code);
        Assert.Contains("in use", error, StringComparison.Ordinal);
        Assert.Empty(output);
    }

    [Fact]
    public async Task RunAsync_StatsCannotBeWritten_ExitsWith1()
    {
        var (code, output, error) = await RunAsync([.. _fine, "--stats", Path.Combine(Path.GetTempPath(), "no-such-folder", "s.json")]);

        Assert.Equal(1, code);
        Assert.Contains("cannot write the statistics", error, StringComparison.Ordinal);
        Assert.Empty(output);
    }

    [Fact]
    public async Task RunAsync_For_EndsByItself()
    {
        var (code, output, error) = await RunAsync([.. _fine, "--for", "100ms"]);

        Assert.Equal(0, code);
        Assert.Matches("^ready listen=127\\.0\\.0\\.1:[1-9][0-9]*\n$", output);
        Assert.Empty(error);
    }

    private static async Task<(int Code, string Output, string Error)> RunAsync(string[] args)
    {
        using StringWriter output = new() { NewLine = "\n" }, error = new() { NewLine = "\n" };
        var code = await ThrottleCommand.RunAsync(args, output, error).WaitAsync(TimeSpan.FromSeconds(10));
        return (code, output.ToString(), error.ToString());
    }
}
