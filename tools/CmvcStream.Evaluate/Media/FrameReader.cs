using System.Globalization;
using CmvcStream.Core.Media;

namespace CmvcStream.Evaluate.Media;

/// <summary>Reads a video as tight RGB24 pictures of one size, through ffmpeg.</summary>
internal static class FrameReader
{
    /// <summary>Each wanted picture of the file in turn. The array is used again for the next.</summary>
    /// <param name="file">What to read.</param>
    /// <param name="size">What each picture is scaled to; the file's own size leaves it as it is.</param>
    /// <param name="frames">Numbers of the pictures, rising; ones that the file does not have are left out.</param>
    /// <param name="scaler">ffmpeg's: area for going down, bicubic for going up.</param>
    /// <param name="stop">Ends it.</param>
    /// <param name="fps">Frames a second to bring it to first; null takes each picture as it is stored.</param>
    /// <exception cref="EvaluateException">ffmpeg fails.</exception>
    public static async IAsyncEnumerable<byte[]> ReadAsync(string file, PixelSize size, IReadOnlyList<int> frames, string scaler,
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken stop, int? fps = null)
    {
        var rate = fps is null ? "" : string.Create(CultureInfo.InvariantCulture, $"fps={fps},");
        // ffmpeg takes about a hundred terms in a row; in brackets they count as one.
        var terms = frames.Select(n => string.Create(CultureInfo.InvariantCulture, $"eq(n,{n})")).Chunk(50).Select(chunk => $"({string.Join('+', chunk)})");
        var filter = $"{rate}select='{string.Join('+', terms)}',scale={size.Width}:{size.Height}:flags={scaler}";
        await using var ffmpeg = ChildProcess.Start("ffmpeg",
            ["-v", "error", "-i", "file:" + file, "-map", "0:V:0", "-vf", filter, "-fps_mode", "passthrough", "-f", "rawvideo", "-pix_fmt", "rgb24", "pipe:1"],
            background: true);
        var picture = new byte[size.Area * 3];
        while (true)
        {
            var read = await ffmpeg.Output.ReadAtLeastAsync(picture, picture.Length, throwOnEndOfStream: false, stop);
            if (read < picture.Length)
                break;
            yield return picture;
        }

        await ffmpeg.SucceedAsync("ffmpeg", stop);
    }

    /// <summary>A picture as JPEG.</summary>
    public static async Task WriteJpegAsync(byte[] rgb24, PixelSize size, string path, CancellationToken stop)
    {
        var raw = path + ".rgb";
        await File.WriteAllBytesAsync(raw, rgb24, stop);
        try
        {
            await ChildProcess.RunAsync("ffmpeg", ["-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", size.ToString(), "-i", "file:" + raw,
                "-frames:v", "1", "-q:v", "4", "-update", "1", "-f", "image2", "file:" + path], stop: stop);
        }
        finally
        {
            File.Delete(raw);
        }
    }
}
