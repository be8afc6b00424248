using System.Globalization;
using CmvcStream.Core.Media;
using CmvcStream.Sender.Capture.Synthetic;

namespace CmvcStream.Evaluate.Media;

/// <summary>
/// What is sent: a clip, cut or played to and fro without a cut until it is as long as asked, so that a slow link reaches its steady
/// state; or a synthetic scene. Kept as a file that is all but lossless (x264, CRF 10), and the same for everyone.
/// </summary>
/// <param name="Name">The clip's name, for tables.</param>
/// <param name="File">The sequence.</param>
/// <param name="Size">Of its picture within the box.</param>
internal sealed record Sequence(string Name, string File, PixelSize Size)
{
    private const string Scheme = "synthetic:";
    private const int LongestClip = 12, Widest = 854;
    private static readonly string[] NearLossless = ["-c:v", "libx264", "-preset", "veryfast", "-crf", "10", "-pix_fmt", "yuv420p"];

    /// <summary>Name of a clip, as tables have it.</summary>
    public static string NameOf(string clip) => IsSynthetic(clip) ? clip.Replace(':', '-') : Path.GetFileNameWithoutExtension(clip);

    public static bool IsSynthetic(string clip) => clip.StartsWith(Scheme, StringComparison.Ordinal);

    /// <summary>Makes it, unless it is there.</summary>
    /// <param name="clip">A video file, or synthetic:NAME.</param>
    /// <param name="seconds">How long.</param>
    /// <param name="box">Bounding box of the picture.</param>
    /// <param name="folder">Where it is kept.</param>
    /// <param name="stop">Ends it.</param>
    /// <exception cref="EvaluateException">The clip cannot be read.</exception>
    public static async Task<Sequence> MakeAsync(string clip, int seconds, PixelSize box, string folder, CancellationToken stop)
    {
        Directory.CreateDirectory(folder);
        var name = NameOf(clip);
        var path = Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"{name}-{seconds}s.mp4"));
        if (!System.IO.File.Exists(path))
        {
            var partial = Path.Combine(folder, $"partial-{name}.mp4");
            if (IsSynthetic(clip))
                await DrawAsync(clip[Scheme.Length..], seconds, box, partial, stop);
            else
                await PlayToAndFroAsync(await VideoFile.ProbeAsync(clip, stop), seconds, partial, stop);
            System.IO.File.Move(partial, path, overwrite: true);
        }

        return new(name, path, (await VideoFile.ProbeAsync(path, stop)).Within(box));
    }

    /// <summary>Keeps the picture of the plan's moment as JPEG.</summary>
    public Task KeepPictureAsync(Measure.ScoringPlan plan, string path, CancellationToken stop) => ChildProcess.RunAsync("ffmpeg",
        ["-v", "error", "-y", "-i", "file:" + File, "-vf", $"fps={plan.Fps},select='eq(n,{plan.Moment})',scale={Size.Width}:{Size.Height}:flags=area",
            "-frames:v", "1", "-q:v", "4", "-update", "1", "file:" + path], stop: stop);

    private static Task<string> PlayToAndFroAsync(VideoFile clip, int seconds, string output, CancellationToken stop)
    {
        var scale = string.Create(CultureInfo.InvariantCulture, $"scale='2*trunc(min({Widest},iw*sar)/2)':-2:flags=area,setsar=1");
        // There, back, there, ... as often as it takes; a clip that is long enough is cut.
        var part = Math.Min(clip.Seconds, clip.Seconds >= seconds ? seconds : LongestClip);
        var parts = (int)Math.Ceiling(seconds / part);
        string[] input = ["-v", "error", "-y", "-t", part.ToString(CultureInfo.InvariantCulture), "-i", "file:" + clip.Path];
        string[] filter = parts == 1 ? ["-vf", scale] : ["-filter_complex", ToAndFro(scale, parts)];
        string[] length = ["-an", "-t", seconds.ToString(CultureInfo.InvariantCulture)];
        return ChildProcess.RunAsync("ffmpeg", [.. input, .. filter, .. length, .. NearLossless, "file:" + output], stop: stop);
    }

    private static string ToAndFro(string scale, int parts)
    {
        var (there, back) = ((parts + 1) / 2, parts / 2);
        string Copies(string name, int n) => string.Concat(Enumerable.Range(0, n).Select(i => $"[{name}{i}]"));
        var order = string.Concat(Enumerable.Range(0, parts).Select(i => i % 2 == 0 ? $"[t{i / 2}]" : $"[b{i / 2}]"));
        return $"[0:V:0]{scale},split[t][b];[t]split={there}{Copies("t", there)};[b]reverse,split={back}{Copies("b", back)};{order}concat=n={parts}:v=1";
    }

    private static async Task DrawAsync(string scene, int seconds, PixelSize box, string output, CancellationToken stop)
    {
        const int Fps = 30;
        Func<PixelSize, ISyntheticScene> setUp;
        try
        {
            setUp = Scenes.Find(scene);
        }
        catch (FormatException e)
        {
            throw new EvaluateException(e.Message, e);
        }

        var size = new PixelSize(box.Width & ~1, box.Height & ~1);
        var raw = output + ".yuv";
        try
        {
            await using (var file = System.IO.File.Create(raw))
            {
                var drawn = setUp(size);
                using var frame = VideoFrame.Allocate(size);
                for (var n = 0; n < seconds * Fps; n++)
                {
                    drawn.Render(frame, MediaTime.FromTicks(n, FrameRate.PerSecond(Fps)));
                    foreach (var plane in new[] { frame.Y, frame.U, frame.V })
                    {
                        for (var y = 0; y < plane.Height; y++)
                            file.Write(plane.Row(y));
                    }
                }
            }

            string[] input = ["-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", size.ToString(), "-r", Fps.ToString(CultureInfo.InvariantCulture), "-i", "file:" + raw];
            await ChildProcess.RunAsync("ffmpeg", ["-v", "error", "-y", .. input, .. NearLossless, "file:" + output], stop: stop);
        }
        finally
        {
            System.IO.File.Delete(raw);
        }
    }
}
