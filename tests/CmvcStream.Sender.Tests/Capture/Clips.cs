using System.Diagnostics;
using CmvcStream.Core.Media;
using CmvcStream.TestKit;
using Xunit;

namespace CmvcStream.Sender.Tests.Capture;

/// <summary>A folder of small clips that ffmpeg makes, gone after the test.</summary>
public sealed class Clips : IDisposable
{
    public string Folder { get; } = Directory.CreateTempSubdirectory("cmvc-capture-").FullName;

    public string PathOf(string name) => Path.Combine(Folder, name);

    /// <summary>A moving test picture.</summary>
    public string Make(string name, string size = "320x240", int rate = 15, double seconds = 1, params string[] more) => Run(
        name, ["-f", "lavfi", "-i", FormattableString.Invariant($"testsrc2=size={size}:rate={rate}:duration={seconds}"), .. more]);

    /// <summary>Runs ffmpeg to make a file, by way of a name that is not odd, and moves it into its place at once.</summary>
    public string Run(string name, params string[] arguments)
    {
        var made = PathOf("making" + Path.GetExtension(name));
        using var process = Process.Start("ffmpeg", ["-nostdin", "-loglevel", "error", "-y", .. arguments, made]);
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
        File.Move(made, PathOf(name), overwrite: true);
        return PathOf(name);
    }

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}

internal static class Reading
{
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    /// <summary>Ticks of all pictures up to the end, or of the first so many; the clock goes as the source wants it.</summary>
    public static async Task<List<long>> TicksAsync(this IFrameSource source, ManualTime clock, int most = int.MaxValue)
    {
        var ticks = new List<long>();
        while (ticks.Count < most && await source.NextAsync(clock) is { } frame)
        {
            Assert.Equal(MediaTime.FromTicks(frame.Tick, source.Rate), frame.Frame.Pts);
            ticks.Add(frame.Tick);
            frame.Frame.Dispose();
        }

        return ticks;
    }

    public static async Task<CapturedFrame?> NextAsync(this IFrameSource source, ManualTime clock)
    {
        using var limit = new CancellationTokenSource(Limit);
        var read = source.ReadAsync(limit.Token).AsTask();
        while (!read.IsCompleted)
        {
            clock.Step();
            await Task.WhenAny(read, Task.Delay(1));
        }

        return await read;
    }

    public static async Task<bool> BecomesAsync(Func<bool> condition)
    {
        var start = Stopwatch.StartNew();
        while (!condition() && start.Elapsed < Limit)
            await Task.Delay(10);
        return condition();
    }
}
