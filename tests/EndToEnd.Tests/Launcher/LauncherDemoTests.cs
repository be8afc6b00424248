using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Xunit;

namespace EndToEnd.Tests.Launcher;

public sealed class LauncherDemoTests : IDisposable
{
    /// <summary>A program that notes its process and a child's (as ffmpeg is the sender's), says that it is ready and stays.</summary>
    private const string Stays = """
        name=${0##*cmvc-}
        echo "$name $*" >>$SANDBOX/started
        sleep 300 &
        echo "$$ $!" >$SANDBOX/$name.processes
        trap 'exit 0' TERM
        [ $name = send ] || echo "ready listen=http://127.0.0.1:1 view=http://127.0.0.1:8888"
        wait
        """;

    private readonly LauncherSandbox _sandbox = new();

    public LauncherDemoTests()
    {
        foreach (var role in new[] { "send", "receive", "throttle" })
            _sandbox.FakeProgram(role, Stays);
    }

    public void Dispose() => _sandbox.Dispose();

    [Fact]
    public async Task Demo_Terminated_LeavesNoProcess()
    {
        using var demo = _sandbox.Start("demo", "--no-browser");
        await UntilStartedAsync();
        Assert.All(Processes("send", "receive", "throttle"), static process => Assert.True(Lives(process)));

        Signal(demo, "TERM");
        var result = await LauncherSandbox.FinishAsync(demo);

        Assert.Equal(0, result.ExitCode);
        Assert.Empty(await LeftAsync(Processes("send", "receive", "throttle")));
    }

    [Fact]
    public async Task Demo_ProgramIgnoresTerm_IsKilled()
    {
        _sandbox.FakeProgram("send", "trap '' TERM\n" + Stays.Replace("trap 'exit 0' TERM", "", StringComparison.Ordinal));
        using var demo = _sandbox.Start("demo", "--no-browser");
        await UntilStartedAsync();

        Signal(demo, "TERM");
        await LauncherSandbox.FinishAsync(demo);

        Assert.Empty(await LeftAsync(Processes("send", "receive", "throttle")));
    }

    [Fact]
    public async Task Demo_KilledOutright_TakesItsProgramsWithIt()
    {
        using var demo = _sandbox.Start("demo", "--no-browser");
        await UntilStartedAsync();
        var programs = new[] { "send", "receive", "throttle" }.Select(role => Processes(role)[0]).ToArray();

        demo.Kill();

        Assert.Empty(await LeftAsync(programs));
        foreach (var child in Processes("send", "receive", "throttle").Where(Lives))
            Process.GetProcessById(child).Kill(); // the fakes', which take no notice
    }

    [Theory]
    [InlineData("receive")]
    [InlineData("throttle")]
    [InlineData("send")]
    public async Task Demo_ProgramDies_NamesItWithItsLastLinesAndStopsTheOthers(string role)
    {
        _sandbox.FakeProgram(role, "echo 'the camera is on fire'; exit 3");

        var result = await _sandbox.RunAsync("demo", "--no-browser");

        Assert.Equal(1, result.ExitCode);
        Assert.Contains($"'{role}' ended by itself with exit code 3", result.Error, StringComparison.Ordinal);
        Assert.Equal("the camera is on fire", result.ErrorLines[^1]);
        Assert.Empty(await LeftAsync(Processes("send", "receive", "throttle")));
    }

    [Fact]
    public async Task Demo_SenderDone_EndsWell()
    {
        _sandbox.FakeProgram("send", "exit 0");

        var result = await _sandbox.RunAsync("demo", "--no-browser", "--for", "1s");

        Assert.Equal(0, result.ExitCode);
        Assert.Empty(await LeftAsync(Processes("receive", "throttle")));
    }

    [Fact]
    public async Task Demo_Options_ReachThePrograms()
    {
        _sandbox.FakeProgram("send", "echo \"send $*\" >>$SANDBOX/started");

        var result = await _sandbox.RunAsync("demo", "--no-browser", "--source=file:clip.mp4", "--rate", "12.5kbps", "--for", "2s", "--view", "http://127.0.0.1:9123/");

        var started = _sandbox.ReadLines("started");
        Assert.Matches(@"^receive --listen http://127\.0\.0\.1:\d+ --view http://127\.0\.0\.1:9123$", started[0]);
        Assert.Matches(@"^throttle --listen 127\.0\.0\.1:\d+ --to 127\.0\.0\.1:\d+ --rate 12\.5kbps --delay 100ms$", started[1]);
        Assert.Matches(@"^send --source file:clip\.mp4 --to http://127\.0\.0\.1:\d+ --loop --for 2s$", started[2]);
        Assert.Contains("http://127.0.0.1:8888", result.Output, StringComparison.Ordinal); // the address that the receiver named
    }

    [Fact]
    public async Task Demo_DefaultPortInUse_TakesAnother()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 8080);
        try
        {
            taken.Start();
        }
        catch (SocketException)
        {
            // Somebody else has it, which serves as well.
        }

        _sandbox.FakeProgram("send", "exit 0");
        await _sandbox.RunAsync("demo", "--no-browser");

        Assert.DoesNotContain("--view http://127.0.0.1:8080", _sandbox.ReadLines("started")[0], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--rate", "fast")]
    [InlineData("--rate", "")]
    [InlineData("--view", "8080")]
    [InlineData("--speed", "9")]
    public async Task Demo_WrongOption_IsWrongUsageAndStartsNothing(string option, string value)
    {
        var result = await _sandbox.RunAsync("demo", option, value);

        Assert.Equal(2, result.ExitCode);
        Assert.Single(result.ErrorLines);
        Assert.Empty(_sandbox.ReadLines("started"));
    }

    private async Task UntilStartedAsync()
    {
        for (var wait = 0; wait < 600 && !File.Exists(_sandbox.PathOf("send.processes")); wait++)
            await Task.Delay(50);
        await Task.Delay(100); // until the file is whole
    }

    private int[] Processes(params string[] roles) =>
        [.. roles.SelectMany(role => _sandbox.ReadLines($"{role}.processes")).SelectMany(static line => line.Split(' ')).Select(static id => int.Parse(id, CultureInfo.InvariantCulture))];

    /// <summary>Those that still live; a killed one may need a moment on a busy machine (the fakes would live for minutes).</summary>
    private static async Task<int[]> LeftAsync(int[] processes)
    {
        for (var wait = 0; wait < 100 && processes.Any(Lives); wait++)
            await Task.Delay(50);
        return [.. processes.Where(Lives)];
    }

    /// <summary>Whether a process runs; one that has ended and only waits to be collected does not.</summary>
    private static bool Lives(int process)
    {
        try
        {
            return File.ReadAllText($"/proc/{process}/stat").Split(')')[^1].TrimStart()[0] != 'Z';
        }
        catch (IOException)
        {
            return false;
        }
    }

    private static void Signal(Process process, string signal)
    {
        using var kill = Process.Start("sh", ["-c", $"kill -{signal} {process.Id}"]);
        kill.WaitForExit();
    }
}
