using System.Globalization;
using CmvcStream.Core.Media;
using CmvcStream.Evaluate.Media;

namespace CmvcStream.Evaluate.Metrics;

/// <summary>What <see cref="Vmaf"/> compares, and by what.</summary>
internal sealed record VmafOptions
{
    /// <summary>Both videos are scaled to this size, bicubic as VMAF's makers do it.</summary>
    public required PixelSize Size { get; init; }

    /// <summary>Both videos are brought to this frame rate, in Hz.</summary>
    public required double FramesPerSecond { get; init; }

    /// <summary>A path, or a name to look for in PATH.</summary>
    public string Ffmpeg { get; init; } = "ffmpeg";

    /// <summary>A model's file; null for the one that libvmaf brings along, if it does.</summary>
    public string? Model { get; init; }

    public int Threads { get; init; } = 1;
}

/// <summary>An ffmpeg that has libvmaf, and a model's file where it brings none along.</summary>
internal sealed record VmafProgram(string Ffmpeg, string? Model);

/// <summary>VMAF's scores, or else why there are none: VMAF is an extra that most ffmpegs lack.</summary>
internal readonly record struct VmafResult(VmafScores? Scores, string? WhyNot);

/// <summary>VMAF (Li, Aaron, Katsavounidis, Moorthy, Manohara 2016) by an ffmpeg that has the libvmaf filter.</summary>
internal static class Vmaf
{
    private const string Advice = "give an ffmpeg that was built with libvmaf, and its model";

    /// <summary>The ffmpeg to measure with: the given one, or the one in PATH if it has libvmaf; null where there is none.</summary>
    /// <exception cref="EvaluateException">One is given that has no libvmaf, or cannot be run.</exception>
    public static async Task<VmafProgram?> FindAsync(string? ffmpeg, string? model, CancellationToken stop)
    {
        var options = new VmafOptions { Size = default, FramesPerSecond = 1, Ffmpeg = ffmpeg ?? "ffmpeg", Model = model };
        return await ModelOptionAsync(options, stop) is not null ? new(options.Ffmpeg, model)
            : ffmpeg is null ? null
            : throw new EvaluateException($"--vmaf {ffmpeg} has no libvmaf filter: {Advice}");
    }

    /// <summary>Compares two videos frame by frame, both from their first frame on; the shorter one ends it.</summary>
    /// <param name="distorted">The video to judge.</param>
    /// <param name="reference">What it should look like.</param>
    /// <param name="options">Size, rate, program.</param>
    /// <param name="stop">Ends the program as well.</param>
    /// <exception cref="EvaluateException">A video is missing.</exception>
    public static async Task<VmafResult> MeasureAsync(string distorted, string reference, VmafOptions options, CancellationToken stop = default)
    {
        foreach (var path in (string[])[distorted, reference])
        {
            if (!File.Exists(path))
                throw new EvaluateException($"VMAF of {path}: there is no such file");
        }

        var folder = Directory.CreateTempSubdirectory("cmvc-vmaf");
        try
        {
            if (await ModelOptionAsync(options, stop) is not { } model)
                return new(null, $"{options.Ffmpeg} has no libvmaf filter: {Advice}");
            var log = Path.Combine(folder.FullName, "log.json");
            await ChildProcess.RunAsync(options.Ffmpeg, Arguments(distorted, reference, options, model, log), stop: stop);
            return new(VmafScores.Parse(await File.ReadAllTextAsync(log, stop)), null);
        }
        catch (Exception e) when (e is EvaluateException or IOException)
        {
            return new(null, $"VMAF cannot be measured: {e.Message.Trim()} ({Advice})");
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    internal static string[] Arguments(string distorted, string reference, VmafOptions options, string modelOption, string log)
    {
        var rate = options.FramesPerSecond.ToString("0.######", CultureInfo.InvariantCulture);
        var alike = $"fps={rate},scale={options.Size.Width}:{options.Size.Height}:flags=bicubic,setsar=1,format=yuv420p,setpts=PTS-STARTPTS";
        // libvmaf takes the distorted video first and the reference second.
        var filter = $"[0:v:0]{alike}[distorted];[1:v:0]{alike}[reference];"
            + $"[distorted][reference]libvmaf=shortest=1:n_threads={options.Threads}:log_fmt=json:log_path={Escape(log)}{modelOption}";
        return ["-hide_banner", "-nostdin", "-v", "error", "-i", distorted, "-i", reference, "-lavfi", filter, "-f", "null", "-"];
    }

    /// <summary>How this libvmaf is told its model, empty for its own; null without libvmaf.</summary>
    /// <exception cref="EvaluateException">ffmpeg cannot be run.</exception>
    private static async Task<string?> ModelOptionAsync(VmafOptions options, CancellationToken stop)
    {
        var filters = await ChildProcess.RunAsync(options.Ffmpeg, ["-hide_banner", "-filters"], stop: stop);
        if (!filters.Split([' ', '\n']).Contains("libvmaf"))
            return null;
        if (options.Model is null)
            return "";
        // ffmpeg 5 brought 'model'; later versions lost 'model_path'.
        var help = await ChildProcess.RunAsync(options.Ffmpeg, ["-hide_banner", "-h", "filter=libvmaf"], stop: stop);
        return help.Split('\n').Any(line => line.TrimStart().StartsWith("model ", StringComparison.Ordinal))
            ? $":model={Escape($"path={EscapeOnce(options.Model)}")}"
            : $":model_path={Escape(options.Model)}";
    }

    /// <summary>A value within a filter graph: ffmpeg unquotes it as a part of the graph, then as an option's value.</summary>
    internal static string Escape(string value) =>
        string.Concat(EscapeOnce(value).Select(c => @"\'[],;".Contains(c, StringComparison.Ordinal) ? $@"\{c}" : c.ToString()));

    private static string EscapeOnce(string value) =>
        string.Concat(value.Select(c => @"\':".Contains(c, StringComparison.Ordinal) ? $@"\{c}" : c.ToString()));
}
