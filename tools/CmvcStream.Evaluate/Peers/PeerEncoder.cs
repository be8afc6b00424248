using System.Globalization;
using CmvcStream.Core.Media;
using CmvcStream.Evaluate.Compare;
using CmvcStream.Evaluate.Measure;
using CmvcStream.Evaluate.Media;

namespace CmvcStream.Evaluate.Peers;

/// <summary>A codec with a size, a frame rate and a setting: one curve of rate and quality.</summary>
/// <param name="Codec">Which.</param>
/// <param name="Setting">How it is driven.</param>
/// <param name="Size">Divisor of the picture's sides: 1, 2 or 4.</param>
/// <param name="Rate">Divisor of the frame rate: 1, 2 or 3.</param>
internal sealed record PeerConfiguration(PeerCodec Codec, PeerSetting Setting, int Size, int Rate)
{
    private static readonly int[] Sizes = [1, 2, 4], Rates = [1, 2, 3];

    /// <summary>Every one of a codec that it takes for pictures of a size.</summary>
    public static IEnumerable<PeerConfiguration> Of(PeerCodec codec, PixelSize captured) =>
        from setting in codec.Settings
        from size in Sizes
        from rate in Rates
        select new PeerConfiguration(codec, setting, size, rate) into configuration
        where Math.Min(configuration.Side(captured.Width), configuration.Side(captured.Height)) >= codec.LeastSide
        select configuration;

    /// <summary>ffmpeg's arguments between its input and its output file.</summary>
    public string[] Arguments(PixelSize captured, int fps, string control)
    {
        var (width, height) = (Side(captured.Width), Side(captured.Height));
        return ["-an", "-vf", string.Create(CultureInfo.InvariantCulture, $"fps={fps}/{Rate},scale={width}:{height}:flags=area"), "-pix_fmt", "yuv420p",
            "-c:v", Codec.Encoder, .. Codec.Common, .. Setting.Arguments, .. control.Split(' ')];
    }

    private int Side(int pixels) => 2 * (int)Math.Round(pixels / 2.0 / Size, MidpointRounding.AwayFromZero);
}

/// <summary>Encodes with the others, through ffmpeg, and scores what comes out.</summary>
internal static class PeerEncoder
{
    /// <summary>One encoding.</summary>
    /// <param name="configuration">How.</param>
    /// <param name="control">What is asked of the rate control.</param>
    /// <param name="reference">What is encoded and compared with.</param>
    /// <param name="scorer">Of the same reference.</param>
    /// <param name="scratch">Folder for a file that is deleted again.</param>
    /// <param name="picture">Where the picture of the plan's moment is kept.</param>
    /// <param name="stop">Ends it.</param>
    /// <exception cref="EvaluateException">The encoder fails.</exception>
    public static async Task<PeerPoint> EncodeAsync(PeerConfiguration configuration, string control, Reference reference, Scorer scorer, string scratch, string picture,
        CancellationToken stop)
    {
        var plan = reference.Plan;
        var file = Path.Combine(scratch, $"{Guid.NewGuid():N}.mkv");
        var encoder = configuration.Arguments(reference.Size, plan.Fps, control);
        try
        {
            await ChildProcess.RunAsync("ffmpeg", ["-v", "error", "-y", "-i", "file:" + reference.Sequence.File, .. encoder, "file:" + file], background: true, stop);
            var packets = await PacketsAsync(file, stop);
            var scores = await scorer.ScoreAsync(file, (double)plan.Fps / configuration.Rate, picture, stop);
            return new()
            {
                Codec = configuration.Codec.Name,
                Size = configuration.Size,
                Rate = configuration.Rate,
                Setting = configuration.Setting.Name,
                Control = control,
                PayloadKbps = Kbps(packets.Sum(p => (long)p), plan.Seconds),
                WireKbps = Kbps(RtpPacking.WireBytes(packets), plan.Seconds),
                Scores = scores,
                Command = $"ffmpeg -i {Path.GetFileName(reference.Sequence.File)} {string.Join(' ', encoder.Select(Quote))} out.mkv",
                Picture = Path.GetFileName(picture),
            };
        }
        finally
        {
            File.Delete(file);
        }
    }

    /// <summary>Bytes of each frame in a file.</summary>
    private static async Task<int[]> PacketsAsync(string file, CancellationToken stop)
    {
        var said = await ChildProcess.RunAsync("ffprobe",
            ["-v", "error", "-select_streams", "v:0", "-show_entries", "packet=size", "-of", "csv=p=0", "file:" + file], background: true, stop);
        return [.. said.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => int.Parse(line.TrimEnd(',', '\r'), CultureInfo.InvariantCulture))];
    }

    private static double Kbps(long bytes, int seconds) => Math.Round(bytes * 8 / 1000.0 / seconds, 3);

    private static string Quote(string argument) =>
        argument.All(c => char.IsAsciiLetterOrDigit(c) || "-_=:,./".Contains(c, StringComparison.Ordinal)) ? argument : $"'{argument}'";
}
