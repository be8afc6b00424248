using System.Globalization;
using CmvcStream.Core.Media;

namespace CmvcStream.Evaluate.Live;

/// <summary>What ffmpeg's encoder is told.</summary>
/// <param name="Step">Every n-th captured frame is sent.</param>
/// <param name="Divisor">Of the picture's sides.</param>
/// <param name="Kbps">Of the video alone: what the link leaves beside the transport stream's own bytes.</param>
internal sealed record FfmpegSettings(int Step, int Divisor, double Kbps)
{
    private const int PacketBytes = 188, HeaderBytes = 28;

    // Each row: the link's kbit/s, then every n-th frame and the divisor of the sides. Of LiveTrialTests only a part has been run. 8: the best by LPIPS
    // for x264 and x265 on two clips over TCP, among n of 5, 6, 8 and divisors of 2, 4 (a divisor of 1, larger n and UDP have not been tried).
    // 16 rests on a single run, 32 on none.
    private static readonly (double LinkKbps, int Step, int Divisor)[] Table = [(8, 8, 2), (16, 3, 2), (32, 3, 2)];

    /// <summary>The best that is known for a rate.</summary>
    public static FfmpegSettings For(Bitrate link, int fps, bool udp)
    {
        var kbps = link.KilobitsPerSecond;
        var (_, step, divisor) = Table.LastOrDefault(row => row.LinkKbps <= kbps, Table[0]);
        return new(step, divisor, VideoKbps(kbps, (double)fps / step, udp));
    }

    /// <summary>
    /// What a link leaves for the video. Each frame is a segment or datagram of its own, of whole packets of 188 bytes, the last of which is half empty
    /// on average. A twentieth of the link is left free, as rate control is not exact.
    /// </summary>
    public static double VideoKbps(double linkKbps, double fps, bool udp)
    {
        var frame = (linkKbps * 0.95 * 1000 / 8 / fps) - (udp ? 28 : 52);
        var video = ((frame - (PacketBytes / 2)) / PacketBytes * (PacketBytes - 4)) - HeaderBytes;
        return Math.Round(Math.Max(0.5, video * 8 * fps / 1000), 1);
    }

    public PixelSize Size(PixelSize captured) => new(Even(captured.Width), Even(captured.Height));

    private int Even(int side) => 2 * Math.Max(8, (int)Math.Round(side / 2.0 / Divisor, MidpointRounding.AwayFromZero));

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"every {Step}. frame, sides / {Divisor}, {Kbps} kbit/s of video");
}
