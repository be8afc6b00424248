using System.Diagnostics;
using Xunit;

namespace EndToEnd.Tests.Launcher;

public sealed class LauncherSetupTests : IDisposable
{
    private readonly LauncherSandbox _sandbox = new();

    public void Dispose() => _sandbox.Dispose();

    [Fact]
    public async Task Setup_NoSdk_IsOneClearLine()
    {
        _sandbox.Remove("dotnet");

        var result = await _sandbox.RunAsync("receive");

        Assert.Equal(1, result.ExitCode);
        Assert.Contains("the .NET SDK is missing; install version 10.0.100 or newer", Assert.Single(result.ErrorLines), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Setup_SdkTooOld_NamesWantedAndFound()
    {
        _sandbox.FakeDotnet("make_programs", version: "exit 155");

        var result = await _sandbox.RunAsync("setup");

        Assert.Equal(1, result.ExitCode);
        var line = Assert.Single(result.ErrorLines);
        Assert.Contains("10.0.100", line, StringComparison.Ordinal);
        Assert.Contains("9.0.101", line, StringComparison.Ordinal);
        Assert.Equal(0, _sandbox.Builds);
    }

    [Fact]
    public async Task Setup_SdkDoesNotStart_SaysWhatItSays()
    {
        _sandbox.FakeDotnet("make_programs", version: "echo 'No space left on device' >&2; exit 1");

        var result = await _sandbox.RunAsync("setup");

        Assert.Equal(1, result.ExitCode);
        Assert.Equal("cmvc: the .NET SDK does not start: No space left on device", Assert.Single(result.ErrorLines));
    }

    [Fact]
    public async Task Setup_HomeDoesNotExist_TheSdkGetsAFolderInArtifacts()
    {
        _sandbox.Set("HOME", _sandbox.PathOf("nowhere"));
        _sandbox.FakeDotnet("echo \"$DOTNET_CLI_HOME\" >$SANDBOX/home; make_programs", version: "[ -n \"$DOTNET_CLI_HOME\" ] && echo 10.0.100");

        var result = await _sandbox.RunAsync("setup");

        Assert.Equal(0, result.ExitCode);
        Assert.Equal(Path.Combine(_sandbox.Root, "artifacts/setup/home"), Assert.Single(_sandbox.ReadLines("home")));
    }

    [Fact]
    public async Task Setup_PackagesMissingWithoutRoot_PrintsTheOneAptLine()
    {
        _sandbox.Remove("ffmpeg");
        _sandbox.Fake("ldconfig", "exit 0");

        var result = await _sandbox.RunAsync("setup");

        Assert.Equal(1, result.ExitCode);
        Assert.EndsWith(
            "sudo apt-get update && sudo apt-get install -y --no-install-recommends ffmpeg libturbojpeg0", Assert.Single(result.ErrorLines), StringComparison.Ordinal);
        Assert.Empty(_sandbox.AptGetCalls);
    }

    [Fact]
    public async Task Setup_PackagesMissingWithoutApt_NamesThem()
    {
        _sandbox.Remove("ffmpeg");
        _sandbox.Remove("apt-get");

        var result = await _sandbox.RunAsync("setup");

        Assert.Equal(1, result.ExitCode);
        Assert.Contains("ffmpeg", Assert.Single(result.ErrorLines), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Setup_PackageMissingWithRights_InstallsIt(bool root)
    {
        _sandbox.Remove("ffmpeg");
        if (root)
            _sandbox.Fake("id", "echo 0");
        else
            _sandbox.Fake("sudo", "shift; \"$@\"");

        var result = await _sandbox.RunAsync("setup");

        Assert.Equal(0, result.ExitCode);
        Assert.EndsWith("update", _sandbox.AptGetCalls[0], StringComparison.Ordinal);
        Assert.EndsWith("install -y --no-install-recommends ffmpeg", _sandbox.AptGetCalls[1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Setup_AptFails_ShowsItsError()
    {
        _sandbox.Remove("ffmpeg");
        _sandbox.Fake("id", "echo 0");
        _sandbox.Fake("apt-get", "echo 'E: Unable to locate package ffmpeg' >&2; exit 100");

        var result = await _sandbox.RunAsync("setup");

        Assert.Equal(1, result.ExitCode);
        Assert.Contains("could not install ffmpeg: E: Unable to locate package ffmpeg", result.ErrorLines[^1], StringComparison.Ordinal);
        Assert.Equal(0, _sandbox.Builds);
    }

    [Theory]
    [InlineData("chromium", "chromium-browser", "chromium")]
    [InlineData("firefox-esr", "firefox", "firefox")]
    public async Task SetupTest_UbuntuWithoutBrowser_SkipsItAndSaysSo(string browser, string stub, string snap)
    {
        _sandbox.WriteFile("etc/os-release", "ID=ubuntu\nID_LIKE=debian\n");
        _sandbox.Remove(browser);
        _sandbox.Fake(stub, $"echo \"Command '$0' requires the {snap} snap to be installed.\" >&2; exit 1");
        _sandbox.Fake("apt-cache", $"[ \"$2\" != {snap} ] || printf 'Package: {snap}\\nPre-Depends: debconf, snapd (>= 2.54)\\n'");
        _sandbox.Fake("id", "echo 0");

        var result = await _sandbox.RunAsync("setup", "test");

        Assert.Equal(0, result.ExitCode);
        Assert.Contains($"{browser} cannot be installed here (Ubuntu has it as a snap only): its browser tests will skip", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain(_sandbox.AptGetCalls, call => call.Contains(browser, StringComparison.Ordinal));
        Assert.Equal(1, _sandbox.Builds);
    }

    [Theory]
    [InlineData("chromium")]
    [InlineData("firefox-esr")]
    public async Task SetupTest_DebianWithoutBrowser_InstallsIt(string browser)
    {
        _sandbox.Remove(browser);
        _sandbox.Fake("id", "echo 0");

        await _sandbox.RunAsync("setup", "test");

        Assert.Contains(_sandbox.AptGetCalls, call => call.Split(' ').Contains(browser));
    }

    [Fact]
    public async Task Setup_UbuntuWithoutTurboJpeg_AsksForItByUbuntusName()
    {
        _sandbox.WriteFile("etc/os-release", "ID=ubuntu\n");
        _sandbox.Fake("ldconfig", "exit 0");

        var result = await _sandbox.RunAsync("setup");

        Assert.EndsWith(" libturbojpeg", Assert.Single(result.ErrorLines), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Setup_SecondStartOverTheRealSources_TakesUnderASecond()
    {
        CopySources();
        await _sandbox.RunAsync("setup");

        // The best of some starts, since the machine may be busy with other things.
        var best = TimeSpan.MaxValue;
        for (var start = 0; start < 8 && best > TimeSpan.FromSeconds(1); start++)
        {
            var clock = Stopwatch.StartNew();
            var result = await _sandbox.RunAsync("setup");
            best = clock.Elapsed < best ? clock.Elapsed : best;

            Assert.Equal(0, result.ExitCode);
            Assert.Empty(result.Error);
            Assert.Equal(1, _sandbox.Builds);
        }

        Assert.InRange(best.TotalSeconds, 0, 1);
    }

    [Fact]
    public async Task Setup_SourceChanged_BuildsAgain()
    {
        _sandbox.WriteFile("repository/shared/A.cs", "one");
        await _sandbox.RunAsync("setup");
        _sandbox.WriteFile("repository/shared/A.cs", "three");

        await _sandbox.RunAsync("setup");
        await _sandbox.RunAsync("setup");

        Assert.Equal(2, _sandbox.Builds); // once for the change, and not again
    }

    [Fact]
    public async Task Setup_SourceDeleted_BuildsAgain()
    {
        _sandbox.WriteFile("repository/shared/A.cs", "one");
        await _sandbox.RunAsync("setup");
        File.Delete(_sandbox.PathOf("repository/shared/A.cs"));

        await _sandbox.RunAsync("setup");
        await _sandbox.RunAsync("setup");

        Assert.Equal(2, _sandbox.Builds); // once for the change, and not again
    }

    [Fact]
    public async Task Setup_ProgramDeleted_BuildsAgain()
    {
        await _sandbox.RunAsync("setup");
        Directory.Delete(_sandbox.PathOf("repository/sender/CmvcStream.Sender/bin"), recursive: true);

        await _sandbox.RunAsync("setup");
        await _sandbox.RunAsync("setup");

        Assert.Equal(2, _sandbox.Builds); // once for the change, and not again
    }

    [Fact]
    public async Task Setup_SeveralAtOnce_BuildOnce()
    {
        _sandbox.FakeDotnet("sleep 0.5; make_programs");

        var results = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => _sandbox.RunAsync("setup")));

        Assert.All(results, static result => Assert.Equal(0, result.ExitCode));
        Assert.Equal(1, _sandbox.Builds);
    }

    [Fact]
    public async Task Setup_BuildLeavesAServerBehind_LockIsFree()
    {
        // As the compiler server does, which lives on for ten minutes.
        _sandbox.FakeDotnet("make_programs; (sleep 30 & echo $! >>$SANDBOX/server) >/dev/null 2>&1");
        _sandbox.WriteFile("repository/shared/A.cs", "one");
        await _sandbox.RunAsync("setup");
        _sandbox.WriteFile("repository/shared/A.cs", "three");

        var result = await _sandbox.RunAsync("setup");

        Assert.DoesNotContain("waiting", result.Error, StringComparison.Ordinal);
        Assert.Equal(2, _sandbox.Builds);
        foreach (var server in _sandbox.ReadLines("server"))
            Process.GetProcessById(int.Parse(server, System.Globalization.CultureInfo.InvariantCulture)).Kill();
    }

    [Fact]
    public async Task Setup_BuildFails_ShowsTheErrorsAndBuildsAgainNextTime()
    {
        _sandbox.FakeDotnet("echo noise; echo \"$PWD/shared/A.cs(3,1): error CS1002: ; expected [$PWD/shared/A.csproj]\"; exit 1");

        var result = await _sandbox.RunAsync("setup");
        await _sandbox.RunAsync("setup");

        Assert.Equal(1, result.ExitCode);
        Assert.Contains("shared/A.cs(3,1): error CS1002: ; expected", result.ErrorLines);
        Assert.DoesNotContain("noise", result.ErrorLines);
        Assert.Equal(2, _sandbox.Builds);
    }

    [Fact]
    public async Task Setup_NoNetwork_SaysThatRestoreFailed()
    {
        _sandbox.FakeDotnet("echo 'A.csproj : error NU1301: Unable to load the service index for source https://example.org. [A.slnf]'; exit 1");

        var result = await _sandbox.RunAsync("setup");

        Assert.Equal(1, result.ExitCode);
        Assert.Contains("could not restore NuGet packages: Unable to load the service index for source https://example.org.", result.ErrorLines[^1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task SetupTest_LockFileOfNpm_FetchesOnceAndAgainWhenItChanges()
    {
        _sandbox.Fake("id", "echo 0");
        _sandbox.Fake("npm", "echo \"$*\" >>$SANDBOX/npm.log; mkdir -p node_modules");
        _sandbox.WriteFile("repository/package-lock.json", "{}");

        await _sandbox.RunAsync("setup", "test");
        await _sandbox.RunAsync("setup", "test");
        _sandbox.WriteFile("repository/package-lock.json", "{ }");
        await _sandbox.RunAsync("setup", "test");

        Assert.Equal(2, _sandbox.ReadLines("npm.log").Length);
        Assert.All(_sandbox.ReadLines("npm.log"), static call => Assert.StartsWith("ci --ignore-scripts", call, StringComparison.Ordinal));
        Assert.Equal(2, _sandbox.Builds);
    }

    [Fact]
    public async Task SetupTest_NpmFailedInBetween_FetchesAgain()
    {
        _sandbox.Fake("id", "echo 0");
        _sandbox.WriteFile("repository/package-lock.json", "{}");
        _sandbox.Fake("npm", "mkdir -p node_modules");
        await _sandbox.RunAsync("setup", "test");
        _sandbox.Fake("npm", "echo 'npm error network' >&2; exit 1");
        _sandbox.WriteFile("repository/package-lock.json", "{ }");

        var result = await _sandbox.RunAsync("setup", "test");
        _sandbox.WriteFile("repository/package-lock.json", "{}");
        _sandbox.Fake("npm", "echo \"$*\" >>$SANDBOX/npm.log");
        await _sandbox.RunAsync("setup", "test");

        Assert.Equal(1, result.ExitCode);
        Assert.Contains("could not fetch npm packages: npm error network", result.ErrorLines[^1], StringComparison.Ordinal);
        Assert.Single(_sandbox.ReadLines("npm.log"));
    }

    [Fact]
    public async Task SetupTest_FirstTime_FetchesNpmPackagesBeforeItBuilds()
    {
        _sandbox.Fake("id", "echo 0");
        _sandbox.WriteFile("repository/package-lock.json", "{}");
        _sandbox.Fake("npm", "mkdir -p node_modules");
        _sandbox.FakeDotnet("[ -d node_modules ] || exit 1; make_programs");

        Assert.Equal(0, (await _sandbox.RunAsync("setup", "test")).ExitCode);
    }

    [Fact]
    public async Task Setup_Programs_FetchesNpmPackagesAsWell()
    {
        _sandbox.WriteFile("repository/package-lock.json", "{}");
        _sandbox.Fake("npm", "echo \"$*\" >>$SANDBOX/npm.log; mkdir -p node_modules");

        Assert.Equal(0, (await _sandbox.RunAsync("setup")).ExitCode);
        Assert.Single(_sandbox.ReadLines("npm.log"));
    }

    private void CopySources()
    {
        foreach (var folder in new[] { "protos", "sender", "receiver", "shared", "tools", "tests" })
        {
            foreach (var file in Directory.EnumerateFiles(Path.Combine(LauncherSandbox.RepositoryRoot, folder), "*", SearchOption.AllDirectories))
            {
                var relative = Path.GetRelativePath(LauncherSandbox.RepositoryRoot, file);
                if (!relative.Split('/').Any(static part => part is "bin" or "obj" or "node_modules" or "TestResults"))
                    _sandbox.WriteFile(Path.Combine("repository", relative), "");
            }
        }
    }
}
