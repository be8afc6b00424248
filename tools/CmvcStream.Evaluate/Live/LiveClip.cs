using System.Globalization;
using CmvcStream.Evaluate.Media;

namespace CmvcStream.Evaluate.Live;

/// <summary>
/// The scene as a camera would deliver it: at the captured size and rate, all but lossless, every frame in its turn (no B-frames, which
/// would leave the decoder late), in a format that ffmpeg and browsers read alike.
/// </summary>
internal static class LiveClip
{
    private const string FileName = "captured.mp4";

    /// <summary>Makes it in the scene's folder; its path.</summary>
    public static async Task<string> MakeAsync(LiveScene scene, CancellationToken stop)
    {
        Directory.CreateDirectory(scene.Folder);
        var path = scene.PathOf(FileName);
        await ChildProcess.RunAsync("ffmpeg", ["-v", "error", "-y", "-i", "file:" + scene.Source, .. Arguments(scene), "file:" + path], stop: stop);
        return path;
    }

    /// <summary>What makes it, for a reader.</summary>
    public static string Command(LiveScene scene) => $"ffmpeg -i {Path.GetFileName(scene.Source)} {string.Join(' ', Arguments(scene))} {FileName}";

    private static string[] Arguments(LiveScene scene) =>
        ["-t", scene.Seconds.ToString(CultureInfo.InvariantCulture), "-an", "-vf", $"fps={scene.Fps},scale={scene.Size.Width}:{scene.Size.Height}:flags=area",
            "-c:v", "libx264", "-preset", "veryfast", "-crf", "8", "-bf", "0", "-g", "15", "-pix_fmt", "yuv420p"];
}
