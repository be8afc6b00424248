using System.Globalization;
using CmvcStream.Core.Media;

namespace CmvcStream.Sender.Capture;

/// <summary>The command line of the ffmpeg child: whatever comes in, yuv4mpeg of a fixed size and rate goes to standard output.</summary>
public static class FfmpegArguments
{
    /// <summary>Everything but the program's name, one element an argument; nothing passes a shell.</summary>
    /// <param name="input">Input options and "-i ...".</param>
    /// <param name="options">Bounding box and rate.</param>
    /// <param name="exact">The size of an earlier opening, to be met exactly; null fits the box.</param>
    /// <param name="repeat">When above 0, the first so many pictures are repeated for ever, from ffmpeg's memory.</param>
    public static string[] Build(IReadOnlyList<string> input, CaptureOptions options, PixelSize? exact = null, int repeat = 0)
    {
        ArgumentNullException.ThrowIfNull(options);
        return
        [
            "-hide_banner", "-nostats", "-loglevel", "error",
            .. input,
            // V: a video stream that is no cover art. Broken pictures are skipped and never end a file early.
            "-map", "0:V:0", "-max_error_rate", "1",
            "-vf", Filter(options, exact, repeat),
            "-pix_fmt", "yuv420p", "-f", "yuv4mpegpipe", "pipe:1",
        ];
    }

    /// <summary>
    /// The input of a file. The prefix keeps a name that begins with '-' or holds a colon from being read as anything else,
    /// and the whitelist keeps a playlist from reaching the network.
    /// </summary>
    public static string[] FileInput(string path) => ["-protocol_whitelist", "file", "-i", "file:" + path];

    private static string Filter(CaptureOptions options, PixelSize? exact, int repeat)
    {
        // No setpts here: it begins anew when the picture changes its size in mid-file, and what follows would be lost.
        var filter = string.Create(CultureInfo.InvariantCulture, $"fps={options.Rate.Rate}/{options.Rate.Scale},")
            + Scale(options.Box, exact) + ",setsar=1,format=yuv420p";
        // The loop filter guesses the length of the last picture wrong; time is counted anew after it.
        return repeat > 0 ? filter + string.Create(CultureInfo.InvariantCulture, $",loop=loop=-1:size={repeat},setpts=N") : filter;
    }

    // The nearest even size with the display's aspect, within the box and no larger than the source.
    private static string Scale(PixelSize box, PixelSize? exact)
    {
        var (width, height) = exact is { } size
            ? (size.Width.ToString(CultureInfo.InvariantCulture), size.Height.ToString(CultureInfo.InvariantCulture))
            : (Side("iw*sar", box.Width, box), Side("ih", box.Height, box));
        return $"scale=w='{width}':h='{height}':flags=area:out_color_matrix=bt601:out_range=tv";
    }

    private static string Side(string source, int limit, PixelSize box) => string.Create(
        CultureInfo.InvariantCulture,
        $"2*max(1,min(min({limit / 2},floor({source}/2)),round({source}*min(1,min({box.Width}/(iw*sar),{box.Height}/ih))/2)))");
}
