using System.Globalization;
using CmvcStream.Core.Media;

namespace CmvcStream.Evaluate.Live;

/// <summary>What ffmpeg's encoder is told.</summary>
/// <param name="Step">Every n-th captured frame is sent.</param>
/// <param name="Divisor">Of the picture's sides.</param>
/// <param name="Kbps">Of the video alone: what the link leaves beside the transport stream's own bytes.</param>
internal sealed record FfmpegSettings(int Step, int Divisor, double Kbps)
{
    private const int PacketBytes = 188, HeaderBytes = 32;

    // Measured: see LiveTrialTests. Each row: the link's kbit/s, then the size and the frame rate that came out best by LPIPS of what was shown.
    private static readonly (double LinkKbps, int Step, int Divisor)[] Table = [(8, 5, 4), (16, 5, 2), (32, 3, 2)];

    /// <summary>The best that is known for a rate.</summary>
    public static FfmpegSettings For(Bitrate link, int fps, bool udp)
    {
        var kbps = link.KilobitsPerSecond;
        var (_, step, divisor) = Table.LastOrDefault(row => row.LinkKbps <= kbps, Table[0]);
        return new(step, divisor, VideoKbps(kbps, (double)fps / step, udp));
    }

    /// <summary>
    /// What a link leaves for the video. Each frame is a segment or datagram of its own, of whole packets of 188 bytes; the last of them
    /// is half empty on average, and the first has about 32 bytes of headers. A tenth of the link is left free, as rate control is not exact.
    /// </summary>
    public static double VideoKbps(double linkKbps, double fps, bool udp)
    {
        var frame = (linkKbps * 0.9 * 1000 / 8 / fps) - (udp ? 28 : 52);
        // With room for one packet only, a frame can fill it; a fifth less, as not all frames are alike.
        var video = frame >= 2 * PacketBytes ? (frame / PacketBytes * (PacketBytes - 4)) - HeaderBytes - (PacketBytes / 2) : Math.Min(frame, PacketBytes - 4 - HeaderBytes) * 0.8;
        return Math.Round(Math.Max(0.5, video * 8 * fps / 1000), 1);
    }

    public PixelSize Size(PixelSize captured) => new(Even(captured.Width), Even(captured.Height));

    private int Even(int side) => 2 * Math.Max(8, (int)Math.Round(side / 2.0 / Divisor, MidpointRounding.AwayFromZero));

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"every {Step}. frame, sides / {Divisor}, {Kbps} kbit/s of video");
}
