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
    [InlineData("--udp", "--udp")]
    [InlineData("--loss", "--loss", "2%")]
    [InlineData("--trace", "--trace", "file")]
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
