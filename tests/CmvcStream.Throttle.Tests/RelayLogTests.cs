using Xunit;

namespace CmvcStream.Throttle.Tests;

public sealed class RelayLogTests
{
    private static readonly string[] _newLine = ["\n"];

    [Fact]
    public void Write_TheSameLineAgain_IsCountedAndSaidEveryTenSeconds()
    {
        var time = new StillTime();
        using var writer = new StringWriter { NewLine = "\n" };
        var log = new RelayLog(writer, time);
        for (var i = 0; i < 5; i++, time.Seconds += 4) // at 0, 4, 8, 12 and 16 s
            log.Write("refused");
        log.Write("other");

        Assert.Equal(
            ["throttle: refused", "throttle: refused (and 2 more times)", "throttle: refused (and 1 more times)", "throttle: other"],
            writer.ToString().Split(_newLine, StringSplitOptions.RemoveEmptyEntries));
    }

    [Fact]
    public void Status_LinesInBetween_StaysBelowThem()
    {
        using var writer = new StringWriter { NewLine = "\n" };
        var log = new RelayLog(writer, new StillTime());
        log.Status("up 1");
        log.Write("refused");
        log.Status("up 2");
        log.EndStatus();
        log.Write("other");

        Assert.Equal("\r\e[Kup 1\r\e[Kthrottle: refused\nup 1\r\e[Kup 2\nthrottle: other\n", writer.ToString());
    }

    private sealed class StillTime : TimeProvider
    {
        public long Seconds { get; set; }

        public override long TimestampFrequency => 1;

        public override long GetTimestamp() => Seconds;
    }
}
