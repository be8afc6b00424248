using System.ComponentModel;
using System.Diagnostics;
using System.Text;

namespace CmvcStream.Evaluate.Media;

/// <summary>A program that is started with arguments (never through a shell), whose standard error is drained and whose end is awaited or forced.</summary>
internal sealed class ChildProcess : IAsyncDisposable
{
    private const int KeptCharacters = 64 * 1024;
    private readonly Process _process;
    private readonly Task _errors;
    private readonly StringBuilder _said = new();

    private ChildProcess(Process process, Action<string>? errorLine)
    {
        _process = process;
        _errors = DrainAsync(errorLine);
    }

    public Stream Output => _process.StandardOutput.BaseStream;

    public StreamReader OutputText => _process.StandardOutput;

    public int Id => _process.Id;

    public bool HasExited => _process.HasExited;

    /// <param name="program">A name to look for in PATH, or a path.</param>
    /// <param name="arguments">One element an argument.</param>
    /// <param name="errorLine">Takes each line of standard error as it comes, on a thread of the pool.</param>
    /// <param name="background">Gives way to all else (nice 19).</param>
    /// <exception cref="EvaluateException">The program cannot be started.</exception>
    public static ChildProcess Start(string program, IEnumerable<string> arguments, Action<string>? errorLine = null, bool background = false)
    {
        var start = background ? new ProcessStartInfo("nice", ["-n", "19", program, .. arguments]) : new ProcessStartInfo(program, arguments);
        (start.RedirectStandardInput, start.RedirectStandardOutput, start.RedirectStandardError) = (true, true, true);
        try
        {
            var process = Process.Start(start)!;
            process.StandardInput.Close();
            return new(process, errorLine);
        }
        catch (Win32Exception e)
        {
            throw new EvaluateException($"the program {program} cannot be run ({e.Message}); './cmvc evaluate' installs what it needs, or says how", e);
        }
    }

    /// <summary>Runs a program to its end; what it wrote to standard output.</summary>
    /// <exception cref="EvaluateException">It cannot be started or fails; its last words are in the message.</exception>
    public static async Task<string> RunAsync(string program, IEnumerable<string> arguments, bool background = false, CancellationToken stop = default)
    {
        await using var child = Start(program, arguments, null, background);
        var output = await child.OutputText.ReadToEndAsync(stop);
        await child.SucceedAsync(program, stop);
        return output;
    }

    /// <summary>Awaits its end.</summary>
    /// <exception cref="EvaluateException">It ended with an error; its last words are in the message.</exception>
    public async Task SucceedAsync(string name, CancellationToken stop)
    {
        var code = await WaitForExitAsync(stop);
        if (code != 0)
            throw new EvaluateException($"{Path.GetFileName(name)} ended with {code}: {LastWords()}");
    }

    public async Task<int> WaitForExitAsync(CancellationToken stop)
    {
        await _process.WaitForExitAsync(stop);
        await _errors.WaitAsync(stop);
        return _process.ExitCode;
    }

    /// <summary>The last of what it said on standard error.</summary>
    public string LastWords()
    {
        lock (_said)
        {
            var text = _said.ToString().Trim();
            return text.Length == 0 ? "it said nothing" : text[Math.Max(0, text.Length - 600)..];
        }
    }

    public void Kill()
    {
        try
        {
            _process.Kill(entireProcessTree: true);
        }
        catch (Exception e) when (e is InvalidOperationException or Win32Exception)
        {
            // It has ended already.
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
            Kill();
        await _process.WaitForExitAsync();
        await _errors;
        _process.Dispose();
    }

    private async Task DrainAsync(Action<string>? errorLine)
    {
        while (await _process.StandardError.ReadLineAsync() is { } line)
        {
            lock (_said)
            {
                _said.AppendLine(line);
                if (_said.Length > KeptCharacters)
                    _said.Remove(0, _said.Length - KeptCharacters / 2);
            }

            errorLine?.Invoke(line);
        }
    }
}
