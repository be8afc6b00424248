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

    private sealed class StillTime : TimeProvider
    {
        public long Seconds { get; set; }

        public override long TimestampFrequency => 1;

        public override long GetTimestamp() => Seconds;
    }
}
