using System.Text.RegularExpressions;
using CmvcStream.Core.Media;

namespace CmvcStream.Sender.Capture;

/// <summary>A camera as --source takes it, and as people call it.</summary>
public sealed record CameraDevice(string Uri, string Label);

/// <summary>Lists the cameras of this machine: ./cmvc devices.</summary>
public static partial class CameraDevices
{
    /// <summary>Writes a line for each camera. Returns the exit status: 0, or 1 when there is none.</summary>
    public static async Task<int> ListAsync(TextWriter output, TextWriter error, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(output);
        ArgumentNullException.ThrowIfNull(error);
        var platform = CapturePlatforms.Current;
        try
        {
            var devices = platform == CapturePlatform.Linux
                ? OfLinux("/dev", "/sys/class/video4linux")
                : Parse(await AskFfmpegAsync(platform, cancellationToken), platform);
            return await WriteAsync(devices, output, error);
        }
        catch (SourceException e)
        {
            await error.WriteLineAsync(e.Message);
            return 1;
        }
    }

    /// <summary>Writes the list, or what to do when it is empty. Returns the exit status.</summary>
    public static async Task<int> WriteAsync(IReadOnlyList<CameraDevice> devices, TextWriter output, TextWriter error)
    {
        ArgumentNullException.ThrowIfNull(devices);
        ArgumentNullException.ThrowIfNull(output);
        ArgumentNullException.ThrowIfNull(error);
        if (devices.Count == 0)
        {
            await error.WriteLineAsync(
                "no camera found. Plug one in (a virtual machine or a container must be given it), "
                + "or stream something else: --source synthetic:street, --source file:clip.mp4");
            return 1;
        }

        var width = devices.Max(d => d.Uri.Length);
        foreach (var device in devices)
            await output.WriteLineAsync($"{device.Uri.PadRight(width)}  {device.Label}");
        return 0;
    }

    /// <summary>The v4l2 devices in order of their numbers.</summary>
    /// <param name="devices">Folder of the device nodes, /dev.</param>
    /// <param name="classes">Folder with what the kernel tells of them.</param>
    public static IReadOnlyList<CameraDevice> OfLinux(string devices, string classes)
    {
        if (!Directory.Exists(devices))
            return [];
        return [.. from path in Directory.EnumerateFileSystemEntries(devices, "video*")
                   let node = Path.GetFileName(path)
                   where VideoNode().IsMatch(node)
                   orderby int.Parse(node.AsSpan("video".Length))
                   select new CameraDevice("camera:" + path, LinuxLabel(Path.Combine(classes, node)))];
    }

    /// <summary>Reads what ffmpeg -list_devices says on standard error.</summary>
    public static IReadOnlyList<CameraDevice> Parse(string text, CapturePlatform platform)
    {
        ArgumentNullException.ThrowIfNull(text);
        return platform == CapturePlatform.Windows ? ParseDirectShow(text) : ParseAvFoundation(text);
    }

    // Two dialects: '"Name" (video)' on each line since ffmpeg 5, titles above a group of bare names before.
    private static List<CameraDevice> ParseDirectShow(string text)
    {
        var devices = new List<CameraDevice>();
        var isVideo = false;
        foreach (var line in text.Split('\n'))
        {
            if (line.Contains("DirectShow", StringComparison.Ordinal) && line.Contains(" devices", StringComparison.Ordinal))
                isVideo = line.Contains("video devices", StringComparison.Ordinal);
            if (line.Contains("Alternative name", StringComparison.Ordinal) || DirectShowName().Match(line) is not { Success: true } match)
                continue;
            var kind = match.Groups["kind"];
            if (kind.Success ? kind.Value.Contains("video", StringComparison.Ordinal) : isVideo)
                devices.Add(new("camera:" + match.Groups["name"].Value, match.Groups["name"].Value));
        }

        return devices;
    }

    private static List<CameraDevice> ParseAvFoundation(string text)
    {
        var devices = new List<CameraDevice>();
        var isVideo = false;
        foreach (var line in text.Split('\n'))
        {
            if (line.Contains("AVFoundation", StringComparison.Ordinal) && line.Contains(" devices:", StringComparison.Ordinal))
                isVideo = line.Contains("video devices:", StringComparison.Ordinal);
            else if (isVideo && AvFoundationName().Match(line) is { Success: true } match
                     && !match.Groups["name"].Value.StartsWith("Capture screen", StringComparison.Ordinal))
                devices.Add(new("camera:" + match.Groups["index"].Value, match.Groups["name"].Value));
        }

        return devices;
    }

    private static string LinuxLabel(string folder)
    {
        var name = ReadOr(Path.Combine(folder, "name"), "a camera without a name");
        // A webcam's further nodes carry its metadata or other formats; the first is the one people want.
        return ReadOr(Path.Combine(folder, "index"), "0") == "0" ? name : name + " (a further node; often without pictures)";
    }

    private static string ReadOr(string file, string otherwise)
    {
        try
        {
            return File.ReadAllText(file).Trim() is { Length: > 0 } text ? text : otherwise;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return otherwise;
        }
    }

    private static async Task<string> AskFfmpegAsync(CapturePlatform platform, CancellationToken cancellationToken)
    {
        string[] input = platform == CapturePlatform.Windows ? ["-f", "dshow", "-i", "dummy"] : ["-f", "avfoundation", "-i", ""];
        await using var process = FfmpegProcess.Start("ffmpeg", ["-hide_banner", "-list_devices", "true", .. input], keptLines: 500);
        // It always fails, since the input is none.
        await process.WaitForExitAsync(cancellationToken);
        return process.Said();
    }

    [GeneratedRegex(@"^video\d{1,4}$")]
    private static partial Regex VideoNode();

    [GeneratedRegex("""^(\[[^\]]*\])?\s*"(?<name>[^"]+)"(\s*\((?<kind>[^)]*)\))?\s*$""")]
    private static partial Regex DirectShowName();

    [GeneratedRegex(@"\] \[(?<index>\d+)\] (?<name>.*\S)\s*$")]
    private static partial Regex AvFoundationName();
}
