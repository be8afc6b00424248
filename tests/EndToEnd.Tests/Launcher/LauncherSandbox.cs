using System.Diagnostics;
using Xunit;

namespace EndToEnd.Tests.Launcher;

/// <summary>What a run of the launcher left: its exit code and what it wrote.</summary>
public sealed record LauncherResult(int ExitCode, string Output, string Error)
{
    /// <summary>Standard error, one entry a line.</summary>
    public string[] ErrorLines => Error.Split('\n', StringSplitOptions.RemoveEmptyEntries);
}

/// <summary>
/// A copy of the launcher in a folder of its own, with a PATH that holds only the tools that it may count on and fakes of what it
/// drives (dotnet, apt-get, the three programs), so that set-up can be tested without the network, root or minutes of building.
/// </summary>
public sealed class LauncherSandbox : IDisposable
{
    private static readonly string[] Tools =
    [
        "awk", "bash", "cat", "chmod", "cksum", "dirname", "env", "find", "flock", "grep", "head", "id", "mkdir", "readlink", "rm", "sed", "setpriv", "setsid",
        "sh", "sleep", "sort", "tail", "tee", "touch",
    ];

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private readonly string _home = Directory.CreateTempSubdirectory("cmvc-launcher-").FullName;
    private readonly Dictionary<string, string> _environment = [];

    public LauncherSandbox()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "the launcher is for Linux");
        Directory.CreateDirectory(Bin);
        Directory.CreateDirectory(Path.Combine(Root, "tools/setup"));
        foreach (var file in new[] { "cmvc", "global.json", "tools/setup/demo.sh" })
            File.Copy(Path.Combine(RepositoryRoot, file), Path.Combine(Root, file));
        foreach (var tool in Tools)
            File.CreateSymbolicLink(Path.Combine(Bin, tool), Find(tool));
        foreach (var program in new[] { "ffmpeg", "gcc", "chromium", "firefox-esr", "node", "npm", "ip" })
            Fake(program, "exit 0");
        Fake("ldconfig", "echo libturbojpeg.so.0");
        Fake("apt-get", "echo \"$*\" >>$SANDBOX/apt-get.log");
        Fake("apt-cache", "exit 100");
        Fake("id", "echo 1000");
        FakeDotnet("make_programs");
        WriteFile("etc/os-release", "ID=debian\n");
        _environment["CMVC_OS_RELEASE"] = PathOf("etc/os-release");
    }

    public static string RepositoryRoot { get; } = FindRepository();

    /// <summary>The copy's root; holds no solution, only what a test writes there.</summary>
    public string Root => Path.Combine(_home, "repository");

    private string Bin => Path.Combine(_home, "bin");

    /// <summary>The arguments of each start of the fake dotnet, one a line.</summary>
    public string[] DotnetCalls => ReadLines("dotnet.log");

    public string[] AptGetCalls => ReadLines("apt-get.log");

    public int Builds => DotnetCalls.Count(static call => call.StartsWith("build ", StringComparison.Ordinal));

    public string PathOf(string relative) => Path.Combine(_home, relative);

    public string[] ReadLines(string relative) => File.Exists(PathOf(relative)) ? File.ReadAllLines(PathOf(relative)) : [];

    public void WriteFile(string relative, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(PathOf(relative))!);
        File.WriteAllText(PathOf(relative), text);
    }

    public void Set(string name, string value) => _environment[name] = value;

    /// <summary>Puts a shell script on the PATH; it finds the sandbox in SANDBOX.</summary>
    public void Fake(string name, string script) => WriteScript(Path.Combine(Bin, name), script);

    /// <summary>Takes a program off the PATH.</summary>
    public void Remove(string name) => File.Delete(Path.Combine(Bin, name));

    /// <summary>A dotnet that notes its arguments and whose build runs a script; <c>make_programs</c> there makes four that echo and exit 7.</summary>
    public void FakeDotnet(string build, string test = "exit 0", string version = "echo 10.0.100") => Fake("dotnet", $$"""
        echo "$*" >>$SANDBOX/dotnet.log
        make_programs() {
            for p in sender/CmvcStream.Sender/bin/Release/net10.0/cmvc-send receiver/CmvcStream.Receiver/bin/Release/net10.0/cmvc-receive \
                tools/CmvcStream.Throttle/bin/Release/net10.0/cmvc-throttle tools/CmvcStream.Evaluate/bin/Release/net10.0/cmvc-evaluate; do
                mkdir -p "${p%/*}"
                printf '#!/bin/sh\necho $$ "$@"\nexit 7\n' >"$p"
                chmod +x "$p"
            done
        }
        case $1 in
            --version) {{version}} ;;
            --list-sdks) echo "9.0.101 [/usr/share/dotnet/sdk]" ;;
            build) {{build}} ;;
            test) {{test}} ;;
        esac
        """);

    /// <summary>Puts fake programs in the place of the built ones: no set-up takes place.</summary>
    public void FakeProgram(string role, string script)
    {
        _environment["CMVC_BIN_DIR"] = PathOf("programs");
        WriteScript(PathOf($"programs/cmvc-{role}"), script);
    }

    public Process Start(params string[] arguments)
    {
        var start = new ProcessStartInfo(Path.Combine(Root, "cmvc"), arguments) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = _home };
        start.Environment.Clear();
        start.Environment["HOME"] = _home;
        foreach (var (name, value) in _environment)
            start.Environment[name] = value;
        start.Environment["PATH"] = Bin;
        start.Environment["SANDBOX"] = _home;
        return Process.Start(start)!;
    }

    public async Task<LauncherResult> RunAsync(params string[] arguments)
    {
        using var process = Start(arguments);
        return await FinishAsync(process);
    }

    /// <exception cref="OperationCanceledException">The launcher did not end in a minute; it is killed with its children.</exception>
    public static async Task<LauncherResult> FinishAsync(Process process)
    {
        using var limit = new CancellationTokenSource(Limit);
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(limit.Token);
            var error = process.StandardError.ReadToEndAsync(limit.Token);
            await process.WaitForExitAsync(limit.Token);
            return new LauncherResult(process.ExitCode, await output, await error);
        }
        finally
        {
            if (!process.HasExited)
                process.Kill(entireProcessTree: true);
        }
    }

    public void Dispose() => Directory.Delete(_home, recursive: true);

    private static void WriteScript(string path, string script)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.Delete(path);
        File.WriteAllText(path, $"#!/bin/sh\n{script}\n");
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(path, (UnixFileMode)0b111_101_101);
    }

    private static string Find(string tool) =>
        new[] { "/usr/bin", "/bin", "/usr/sbin", "/sbin" }.Select(folder => Path.Combine(folder, tool)).First(File.Exists);

    private static string FindRepository()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "CmvcStream.sln")))
            folder = Path.GetDirectoryName(folder) ?? throw new InvalidOperationException("the tests do not run inside the repository");
        return folder;
    }
}
