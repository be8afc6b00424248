using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace EndToEnd.Tests.Session;

/// <summary>Runs the real programs, as built, with a folder of their own for files.</summary>
internal sealed class Programs : IDisposable
{
    private readonly List<Running> _running = [];

    public string Folder { get; } = Directory.CreateTempSubdirectory("cmvc-e2e-").FullName;

    public string PathOf(string name) => Path.Combine(Folder, name);

    public Running Start(string program, params string[] arguments) => StartWith([], program, arguments);

    /// <summary>With variables of its own in its environment.</summary>
    public Running StartWith(Dictionary<string, string> environment, string program, params string[] arguments)
    {
        var running = new Running(program, arguments, environment);
        _running.Add(running);
        return running;
    }

    /// <summary>A receiver that is ready, and where it listens.</summary>
    public Task<(Running Receiver, string Url)> ReceiverAsync(params string[] arguments) => ReceiverAtAsync("http://127.0.0.1:0", arguments);

    public async Task<(Running Receiver, string Url)> ReceiverAtAsync(string listen, params string[] arguments)
    {
        var receiver = Start("cmvc-receive", ["--listen", listen, .. arguments]);
        var ready = await receiver.OutputLineAsync("ready ");
        return (receiver, ready.Split("listen=")[1].Split(' ')[0]);
    }

    /// <summary>A constrained link to a receiver, and where it listens.</summary>
    public async Task<string> ThrottleAsync(string url, params string[] link)
    {
        var port = FreePort();
        var throttle = Start("cmvc-throttle", ["--listen", $"127.0.0.1:{port}", "--to", new Uri(url).Authority, .. link]);
        await throttle.OutputLineAsync("ready ");
        return $"http://127.0.0.1:{port}";
    }

    public static int FreePort()
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }

    public void Dispose()
    {
        foreach (var running in _running)
            running.Dispose();
        Directory.Delete(Folder, recursive: true);
    }
}

/// <summary>A program that runs; its output is kept.</summary>
internal sealed class Running : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    private readonly Process _process;
    private readonly Lock _gate = new();
    private readonly List<string> _output = [];
    private readonly List<string> _errors = [];

    public Running(string program, string[] arguments, Dictionary<string, string> environment)
    {
        var start = new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, program)) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        _process = new() { StartInfo = start };
        _process.OutputDataReceived += (_, e) => Keep(_output, e.Data);
        _process.ErrorDataReceived += (_, e) => Keep(_errors, e.Data);
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    public string Errors
    {
        get
        {
            lock (_gate)
                return string.Join('\n', _errors);
        }
    }

    public Task<string> OutputLineAsync(string beginning) => LineAsync(_output, l => l.StartsWith(beginning, StringComparison.Ordinal), beginning);

    public Task<string> ErrorLineAsync(string part) => LineAsync(_errors, l => l.Contains(part, StringComparison.Ordinal), part);

    public async Task<int> ExitAsync()
    {
        using var patience = new CancellationTokenSource(Patience);
        await _process.WaitForExitAsync(patience.Token);
        return _process.ExitCode;
    }

    public void Kill() => _process.Kill(entireProcessTree: true);

    /// <summary>SIGTERM.</summary>
    public void Terminate() => Process.Start("kill", ["-TERM", _process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]).WaitForExit();

    public void Dispose()
    {
        if (!_process.HasExited)
            Kill();
        _process.Dispose();
    }

    private async Task<string> LineAsync(List<string> lines, Func<string, bool> wanted, string what)
    {
        var until = DateTime.UtcNow + Patience;
        while (DateTime.UtcNow < until)
        {
            lock (_gate)
            {
                if (lines.FirstOrDefault(wanted) is { } line)
                    return line;
            }

            await Task.Delay(50);
        }

        throw new TimeoutException($"no line with '{what}'; errors:\n{Errors}");
    }

    private void Keep(List<string> lines, string? line)
    {
        if (line is null)
            return;
        lock (_gate)
            lines.Add(line);
    }
}
