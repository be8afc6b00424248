using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text.Json;
using Xunit;

namespace CmvcStream.Throttle.Tests;

/// <summary>The tool as people and scripts run it.</summary>
public sealed class ThrottleProcessTests
{
    private const int Sigint = 2, Sigterm = 15;

    [Theory]
    [InlineData(Sigterm)]
    [InlineData(Sigint)]
    public async Task Process_Signal_EndsWithStatisticsWritten(int signal)
    {
        if (OperatingSystem.IsWindows())
            Assert.Skip("signals are sent with kill(2)");
        Assert.SkipWhen(IsIgnored(signal), "this signal is ignored here, as in a shell's background job, and so it is by the programs that are started");
        var folder = Directory.CreateTempSubdirectory("throttle-");
        var stats = Path.Combine(folder.FullName, "stats.json");
        try
        {
            using var process = Start("--listen", "127.0.0.1:0", "--to", "127.0.0.1:9", "--rate", "8kbps", "--stats", stats);
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(15));
            var ready = await process.StandardOutput.ReadLineAsync(patience.Token);
            Assert.StartsWith("ready listen=127.0.0.1:", ready, StringComparison.Ordinal);
            Assert.Equal("running", Read(stats).GetProperty("exit").GetString());

            Assert.Equal(0, Kill(process.Id, signal));
            await process.WaitForExitAsync(patience.Token);

            Assert.Equal(0, process.ExitCode);
            var written = Read(stats);
            Assert.Equal("done", written.GetProperty("exit").GetString());
            Assert.Equal(8000, written.GetProperty("up").GetProperty("rate_bps").GetInt64());
            Assert.Equal(0, written.GetProperty("down").GetProperty("max_5s_bps").GetInt64());
            Assert.Equal([stats], Directory.GetFiles(folder.FullName)); // no temporary left
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    /// <summary>A program is started with the signals ignored that its parent ignores.</summary>
    private static bool IsIgnored(int signal) => File.Exists("/proc/self/status")
        && File.ReadLines("/proc/self/status").FirstOrDefault(line => line.StartsWith("SigIgn:", StringComparison.Ordinal)) is { } mask
        && (Convert.ToUInt64(mask[7..].Trim(), 16) >> (signal - 1) & 1) != 0;

    private static JsonElement Read(string file) => JsonSerializer.Deserialize<JsonElement>(File.ReadAllText(file));

    private static Process Start(params string[] args)
    {
        var start = new ProcessStartInfo("dotnet", [typeof(ThrottleRelay).Assembly.Location, .. args]) { RedirectStandardOutput = true };
        return Process.Start(start)!;
    }

    [DllImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Kill(int process, int signal);
}
