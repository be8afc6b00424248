using Xunit;

namespace EndToEnd.Tests.Launcher;

public sealed class LauncherCommandTests : IDisposable
{
    private readonly LauncherSandbox _sandbox = new();

    public void Dispose() => _sandbox.Dispose();

    [Fact]
    public async Task Help_Asked_NamesEveryCommandWithoutSetUp()
    {
        var result = await _sandbox.RunAsync("help");

        Assert.Equal(0, result.ExitCode);
        foreach (var command in new[] { "demo", "test", "send", "receive", "throttle", "evaluate", "models", "devices", "check", "setup" })
            Assert.Contains($"./cmvc {command}", result.Output, StringComparison.Ordinal);
        Assert.Empty(_sandbox.DotnetCalls);
    }

    [Theory]
    [InlineData("fly", "'fly' is no command")]
    [InlineData("replay", "'replay' is not in this version yet")]
    public async Task Command_UnknownOrNotYetThere_IsWrongUsage(string command, string message)
    {
        var result = await _sandbox.RunAsync(command);

        Assert.Equal(2, result.ExitCode);
        Assert.Contains(message, Assert.Single(result.ErrorLines), StringComparison.Ordinal);
        Assert.Empty(result.Output);
    }

    [Fact]
    public async Task Command_None_ShowsHelpAsAnError()
    {
        var result = await _sandbox.RunAsync();

        Assert.Equal(2, result.ExitCode);
        Assert.Contains("./cmvc demo", result.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("send")]
    [InlineData("receive")]
    [InlineData("throttle")]
    [InlineData("evaluate")]
    public async Task Program_WithArguments_TakesTheLaunchersPlace(string command)
    {
        using var process = _sandbox.Start(command, "--a", "b c");
        var id = process.Id;
        var result = await LauncherSandbox.FinishAsync(process);

        // The same process: signals sent to the launcher reach the program, and its exit code is the launcher's.
        Assert.Equal($"{id} --a b c\n", result.Output);
        Assert.Equal(7, result.ExitCode);
    }

    [Fact]
    public async Task Devices_Asked_IsTheSendersCommand()
    {
        var result = await _sandbox.RunAsync("devices");

        Assert.EndsWith(" devices\n", result.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(12, 0, 3, 0, 0)]
    [InlineData(12, 1, 0, 2, 1)]
    [InlineData(0, 0, 0, 0, 1)]
    [InlineData(12, 0, 0, 7, 1)] // a test program that crashed counts no failure
    public async Task Test_Summary_IsOneLineAndTheExitCode(int passed, int failed, int skipped, int dotnet, int expected)
    {
        _sandbox.FakeDotnet("make_programs", $"printf '  total: 9\\n  failed: {failed}\\n  succeeded: {passed}\\n  skipped: {skipped}\\n'; exit {dotnet}");
        _sandbox.Fake("apt-get", "exit 0");
        _sandbox.Fake("id", "echo 0");

        var result = await _sandbox.RunAsync("test");

        Assert.Equal($"{passed} passed, {failed} failed, {skipped} skipped", result.Output.TrimEnd('\n').Split('\n')[^1]);
        Assert.Equal(expected, result.ExitCode);
    }

    [Fact]
    public async Task Test_AProjectThatRunsNoTest_FailsNamingIt()
    {
        _sandbox.FakeDotnet("make_programs", """
            echo '/home/tests/A.Tests/bin/Release/net10.0/A.Tests.dll (net10.0|x64) passed (2s 1ms)'
            echo '/home/tests/B.Tests/bin/Release/net10.0/B.Tests.dll (net10.0|x64) Zero tests ran (398ms)'
            echo '  /home/tests/B.Tests/bin/Release/net10.0/B.Tests.dll (net10.0|x64) Zero tests ran (398ms)'
            printf 'Exit code: 8\n  total: 9\n  failed: 0\n  succeeded: 9\n  skipped: 0\n'
            exit 8
            """);
        _sandbox.Fake("id", "echo 0");

        var result = await _sandbox.RunAsync("test");

        Assert.Equal(1, result.ExitCode);
        Assert.Equal("cmvc: no test of B.Tests ran: its tests were not found", Assert.Single(result.ErrorLines, static l => l.Contains(" ran", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Test_Filter_MayLeaveAProjectWithoutTests(bool filtered)
    {
        _sandbox.Fake("id", "echo 0");

        await _sandbox.RunAsync(filtered ? ["test", "--filter-class", "*A*"] : ["test"]);

        var call = Assert.Single(_sandbox.DotnetCalls, static c => c.StartsWith("test ", StringComparison.Ordinal));
        Assert.Equal(filtered, call.Contains("--ignore-exit-code 8", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Check_PackageMissing_SaysSoAndChangesNothing()
    {
        _sandbox.Remove("ffmpeg");
        _sandbox.Fake("id", "echo 0");

        var result = await _sandbox.RunAsync("check");

        Assert.Equal(1, result.ExitCode);
        Assert.Contains("missing  ffmpeg\n", result.Output, StringComparison.Ordinal);
        Assert.Contains("ok       gcc\n", result.Output, StringComparison.Ordinal);
        Assert.Empty(_sandbox.AptGetCalls);
        Assert.Equal(0, _sandbox.Builds);
    }
}
