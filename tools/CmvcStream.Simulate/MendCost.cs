using System.Globalization;
using CmvcStream.Codecs.Av1;
using CmvcStream.Core.Codec;
using CmvcStream.Core.Media;
using CmvcStream.Core.Motion;
using CmvcStream.Sender.Capture;

namespace CmvcStream.Simulate;

/// <summary>
/// What a lost keyframe costs: bytes of the next one predicted from an acknowledged keyframe so many keyframes old, of an intra one at
/// the same luma PSNR, and of what would have been sent without a loss.
/// </summary>
internal static class MendCost
{
    private const int FramesApart = 5, Most = 60, First = 10, Every = 5;

    /// <summary>Measures a clip, three keyframes a second at cq-level <paramref name="quality"/>, and gives a line for each age.</summary>
    public static async Task<string> RunAsync(string file, int quality, CancellationToken stop)
    {
        var frames = await ReadAsync(file, stop);
        if (frames.Count <= First)
            return $"{Path.GetFileName(file)} is too short: {(First + 1) * FramesApart} frames are needed";
        var size = frames[0].Size;
        var usual = Chain(frames, size, quality, age: 0);
        var lines = new List<string>();
        foreach (var age in new[] { 2, 4, 6 })
        {
            var mended = Chain(frames, size, quality, age);
            double predicted = 0, bytes = 0, intra = 0, ages = 0, count = 0;
            for (var n = First; n < frames.Count; n += Every)
            {
                predicted += usual[n].Bytes;
                bytes += mended[n].Bytes;
                intra += Intra(frames[n], size, mended[n].Psnr);
                ages += mended[n].Age;
                count++;
            }

            lines.Add(string.Create(CultureInfo.InvariantCulture,
                $"{Path.GetFileName(file)}, cq-level {quality}, {count} mended from {ages / count:0.0} keyframes before: {bytes / count:0} bytes, intra at the same PSNR {intra / count:0}, without a loss {predicted / count:0}"));
        }

        return string.Join('\n', lines);
    }

    /// <summary>Every few keyframes one is mended from what was acknowledged <paramref name="age"/> keyframes before; 0: none.</summary>
    private static List<(int Bytes, double Psnr, double Age)> Chain(List<VideoFrame> frames, PixelSize size, int quality, int age)
    {
        using var encoder = new AomKeyframeEncoder(size);
        using var decoder = new AomKeyframeDecoder(size);
        var coded = new List<(int, double, double)>();
        for (var n = 0; n < frames.Count; n++)
        {
            // Number n + 1 is coded now.
            encoder.Acknowledge(n + 1 - age);
            var mend = age > 0 && n >= First && n % Every == 0;
            var data = encoder.Encode(frames[n], new(quality, CodedScale.Full, Intra: false, mend));
            using var shown = decoder.Decode(data);
            coded.Add((data.Length, Psnr(frames[n], shown), n + 1 - encoder.Last.Base));
        }

        return coded;
    }

    /// <summary>Bytes of an intra keyframe of that luma PSNR in dB, between the two cq-levels nearest to it.</summary>
    private static double Intra(VideoFrame frame, PixelSize size, double psnr)
    {
        using var encoder = new AomKeyframeEncoder(size);
        using var decoder = new AomKeyframeDecoder(size);
        (double Bytes, double Psnr) worse = default;
        for (var quality = 63; quality >= 15; quality -= 4)
        {
            var data = encoder.Encode(frame, new(quality, CodedScale.Full, Intra: true));
            using var shown = decoder.Decode(data);
            var (bytes, reached) = ((double)data.Length, Psnr(frame, shown));
            if (reached >= psnr)
                return worse.Bytes == 0 ? bytes : worse.Bytes * Math.Pow(bytes / worse.Bytes, (psnr - worse.Psnr) / (reached - worse.Psnr));
            worse = (bytes, reached);
        }

        return worse.Bytes;
    }

    private static double Psnr(VideoFrame a, VideoFrame b) => 10 * Math.Log10(255 * 255 / Math.Max(FrameDistance.LumaMse(a, b), 1e-6));

    private static async Task<List<VideoFrame>> ReadAsync(string file, CancellationToken stop)
    {
        var capture = new CaptureOptions();
        FramePool? pool = null;
        await using var ffmpeg = await FfmpegSession.OpenAsync(capture.Ffmpeg, FfmpegArguments.Build(FfmpegArguments.FileInput(file), capture),
            size => pool ??= new(size), TimeProvider.System, TimeSpan.FromSeconds(30), stop, stop);
        var frames = new List<VideoFrame>();
        for (var n = 0; frames.Count < Most && await ffmpeg.ReadAsync(pool!, TimeSpan.FromSeconds(30)) is { } frame; n++)
        {
            if (n % FramesApart == 0)
                frames.Add(frame);
            else
                frame.Dispose();
        }

        return frames;
    }
}
