using System.Globalization;
using System.Text.Json;
using CmvcStream.Core.Media;

namespace CmvcStream.Evaluate.Media;

/// <summary>A video file as ffmpeg sees it.</summary>
/// <param name="Path">Where it is.</param>
/// <param name="Size">Of the picture as it is displayed with square pixels.</param>
/// <param name="Seconds">Its length.</param>
internal sealed record VideoFile(string Path, PixelSize Size, double Seconds)
{
    /// <exception cref="EvaluateException">It is missing, or holds no video that ffmpeg can read.</exception>
    public static async Task<VideoFile> ProbeAsync(string path, CancellationToken stop)
    {
        if (!File.Exists(path))
            throw new EvaluateException($"{path}: there is no such file");
        string json;
        try
        {
            json = await ChildProcess.RunAsync("ffprobe",
                ["-v", "error", "-select_streams", "V:0", "-show_entries", "stream=width,height,sample_aspect_ratio:format=duration", "-of", "json", "file:" + path], stop: stop);
        }
        catch (EvaluateException e)
        {
            throw new EvaluateException($"{path} is no video: {e.Message}", e);
        }

        using var probed = JsonDocument.Parse(json);
        var root = probed.RootElement;
        if (!root.TryGetProperty("streams", out var streams) || streams.GetArrayLength() == 0)
            throw new EvaluateException($"{path} holds no video stream");
        if (!root.GetProperty("format").TryGetProperty("duration", out var duration) || !double.TryParse(duration.GetString(), CultureInfo.InvariantCulture, out var seconds))
            throw new EvaluateException($"{path} does not say how long it is; copy it into another container first, for example: ffmpeg -i {path} -c copy clip.mkv");
        var stream = streams[0];
        var aspect = stream.TryGetProperty("sample_aspect_ratio", out var ratio) ? Aspect(ratio.GetString()!) : 1;
        return new(path, new((int)Math.Round(stream.GetProperty("width").GetInt32() * aspect), stream.GetProperty("height").GetInt32()), seconds);
    }

    /// <summary>The size that the sender gives the picture within a box: aspect kept, even sides, never enlarged.</summary>
    public PixelSize Within(PixelSize box)
    {
        var scale = Math.Min(1, Math.Min((double)box.Width / Size.Width, (double)box.Height / Size.Height));
        return new(Even(Size.Width, box.Width), Even(Size.Height, box.Height));
        int Even(int side, int limit) => 2 * Math.Max(1, Math.Min(Math.Min(limit / 2, side / 2), (int)Math.Round(side * scale / 2, MidpointRounding.AwayFromZero)));
    }

    private static double Aspect(string text) => text.Split(':') is [var w, var h] && double.TryParse(w, CultureInfo.InvariantCulture, out var x)
        && double.TryParse(h, CultureInfo.InvariantCulture, out var y) && x > 0 && y > 0 ? x / y : 1;
}
