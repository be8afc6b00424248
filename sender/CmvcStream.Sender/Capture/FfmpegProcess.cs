using System.ComponentModel;
using System.Diagnostics;
using System.Text;
using CmvcStream.Core.Media;

namespace CmvcStream.Sender.Capture;

/// <summary>
/// An ffmpeg child. It never outlives us: it is told to stop, then killed, when disposed; and were this process killed,
/// the broken pipe ends it at its next picture. What it says on standard error is always drained; the last of it is kept.
/// </summary>
public sealed class FfmpegProcess : IAsyncDisposable
{
    private const int LongestLine = 300;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(0.5);

    private readonly Process _process;
    private readonly Queue<string> _lines = new();
    private readonly Task _errors;
    private Task? _stop;

    private readonly int _keptLines;

    private FfmpegProcess(Process process, int keptLines)
    {
        _process = process;
        _keptLines = keptLines;
        _errors = DrainErrorsAsync();
    }

    /// <summary>Standard output.</summary>
    public Stream Output => _process.StandardOutput.BaseStream;

    public int Id => _process.Id;

    /// <param name="program">A name to look for in PATH, or a path.</param>
    /// <param name="arguments">One element an argument.</param>
    /// <param name="keptLines">How many lines of standard error are kept, the last ones.</param>
    /// <exception cref="SourceException">The program is missing or cannot be run.</exception>
    public static FfmpegProcess Start(string program, IEnumerable<string> arguments, int keptLines = 12)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
            CreateNoWindow = true,
        };
        try
        {
            return new(Process.Start(start) ?? throw new SourceException($"{program} did not start"), keptLines);
        }
        catch (Win32Exception e)
        {
            throw new SourceException(
                $"the program {program} cannot be run ({e.Message}). Start with ./cmvc, which checks for it, or install it, "
                + "for example with: apt install ffmpeg", e);
        }
    }

    /// <summary>The kept lines of standard error, as they are.</summary>
    public string Said()
    {
        lock (_lines)
            return string.Join('\n', _lines);
    }

    /// <summary>What it said last, at most three lines, without the addresses and remarks that help nobody; empty if it said nothing.</summary>
    public string LastWords()
    {
        var useful = Said().Split('\n').Select(WithoutOrigin).Where(IsUseful).Distinct().ToArray();
        return string.Join("; ", useful.TakeLast(3));
    }

    /// <summary>Asks it to stop (it says goodbye to cameras and servers), and kills it when it has not within half a second.</summary>
    public Task StopAsync()
    {
        lock (_lines)
            return _stop ??= StopOnceAsync();
    }

    public void Kill()
    {
        try
        {
            _process.Kill(entireProcessTree: false);
        }
        catch (Exception e) when (e is InvalidOperationException or Win32Exception)
        {
            // It has ended already, or is about to.
        }
    }

    /// <summary>Its exit status, once standard output has ended and all of standard error is read.</summary>
    public async Task<int> WaitForExitAsync(CancellationToken cancellationToken)
    {
        await _process.WaitForExitAsync(cancellationToken);
        await _errors.WaitAsync(cancellationToken);
        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        // Closing the pipe first wakes an ffmpeg that waits for us to read.
        await Output.DisposeAsync();
        await StopAsync();
        await _process.WaitForExitAsync();
        await _errors;
        _process.Dispose();
    }

    private async Task StopOnceAsync()
    {
        // Never on the caller's thread: a cancellation callback may be what called.
        await Task.Yield();
        try
        {
            await _process.StandardInput.WriteAsync('q');
            _process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It has ended already.
        }

        using var patience = new CancellationTokenSource(Patience);
        try
        {
            await _process.WaitForExitAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            Kill();
        }
    }

    private async Task DrainErrorsAsync()
    {
        var reader = _process.StandardError;
        var buffer = new char[1024];
        var line = new StringBuilder();
        try
        {
            int read;
            while ((read = await reader.ReadAsync(buffer)) > 0)
            {
                foreach (var c in buffer.AsSpan(0, read))
                {
                    if (c is '\n' or '\r')
                        Keep(line);
                    else if (line.Length < LongestLine)
                        line.Append(char.IsControl(c) ? ' ' : c);
                }
            }

            Keep(line);
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // The pipe broke; what was said so far stays.
        }
    }

    private void Keep(StringBuilder line)
    {
        if (line.Length > 0)
        {
            lock (_lines)
            {
                _lines.Enqueue(line.ToString());
                if (_lines.Count > _keptLines)
                    _lines.Dequeue();
            }
        }

        line.Clear();
    }

    // "[mov,mp4 @ 0x55907e54d9c0] moov atom not found" without what is in the brackets.
    private static string WithoutOrigin(string line)
    {
        var end = line.StartsWith('[') && line.Contains(" @ 0x", StringComparison.Ordinal) ? line.IndexOf("] ", StringComparison.Ordinal) : -1;
        return (end < 0 ? line : line[(end + 2)..]).Trim();
    }

    private static bool IsUseful(string line) =>
        line.Length > 0
        && !line.StartsWith("To ignore this", StringComparison.Ordinal)
        && !line.StartsWith("Last message repeated", StringComparison.Ordinal)
        && !line.StartsWith("Conversion failed", StringComparison.Ordinal)
        && !line.Contains("Broken pipe", StringComparison.Ordinal);
}
