using System.Diagnostics;
using EndToEnd.Tests.Launcher;
using Xunit;

namespace EndToEnd.Tests.Evaluate;

/// <summary>The real sender, link and receiver on synthetic clips, scored and compared with the committed baseline.</summary>
public class BaselineTests
{
    [Fact]
    public async Task Baseline_SyntheticClips_OursIsNotWorse()
    {
        var start = new ProcessStartInfo("bash", [Path.Combine(LauncherSandbox.RepositoryRoot, "tools/bench/baseline.sh"), "check"]) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["EVALUATE"] = Path.Combine(AppContext.BaseDirectory, "cmvc-evaluate");
        using var process = Process.Start(start)!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();

        Assert.True(process.ExitCode == 0, await error);
        Assert.Contains("no regression", await output);
    }
}
