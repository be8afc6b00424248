using System.Diagnostics;
using Xunit;

namespace EndToEnd.Tests.Session;

public sealed class EarlyStopTests : IDisposable
{
    private readonly Programs _programs = new();

    /// <summary>At every moment of its start: before the runtime is up, before handlers are in place, while it opens and connects.</summary>
    [Theory]
    [InlineData("cmvc-receive", "--listen", "https://127.0.0.1:0", "--view", "http://127.0.0.1:0", "--out", "null:")]
    [InlineData("cmvc-send", "--source", "synthetic:street", "--max-rate", "8kbps")]
    public async Task Terminated_WhileItStarts_EndsAtOnceWithoutATrace(string program, params string[] arguments)
    {
        if (program == "cmvc-send")
            arguments = [.. arguments, "--to", (await _programs.ReceiverAsync("--out", "null:")).Url];
        for (var after = 0; after <= 300; after += 15)
        {
            var running = _programs.Start(program, arguments);
            await Task.Delay(after);
            var clock = Stopwatch.StartNew();

            running.Terminate();

            // 143: by the signal itself.
            Assert.Contains(await running.ExitAsync(), new[] { 0, 143 });
            Assert.InRange(clock.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(10));
            Assert.DoesNotContain("   at ", running.Errors);
            Assert.DoesNotContain("nhandled", running.Errors);
        }
    }

    public void Dispose() => _programs.Dispose();
}
