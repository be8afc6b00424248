using CmvcStream.Core.Diagnostics;

namespace CmvcStream.CommandLine;

/// <summary>The --stats file of a program: replaced every second, and once more at the end. A file that cannot be written is reported.</summary>
internal sealed class StatisticsFile(string? path, Func<string, Statistics> statistics, Action<string> report) : IDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private Task _writing = Task.CompletedTask;

    /// <summary>Begins to write, if there is a file at all.</summary>
    public void Start()
    {
        if (path is not null)
            _writing = WriteEverySecondAsync();
    }

    /// <summary>Writes the last figures.</summary>
    /// <param name="exit">How the program ended, for the file.</param>
    public async Task CompleteAsync(string exit)
    {
        await _stop.CancelAsync();
        await _writing;
        Write(exit);
    }

    public void Dispose() => _stop.Dispose();

    private async Task WriteEverySecondAsync()
    {
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(1));
        try
        {
            while (await timer.WaitForNextTickAsync(_stop.Token) && Write("running")) { }
        }
        catch (OperationCanceledException) { }
    }

    private bool Write(string exit)
    {
        if (path is null)
            return true;
        try
        {
            statistics(exit).Write(path);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            report($"--stats {path}: {e.Message}");
            return false;
        }
    }
}
