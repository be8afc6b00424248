using System.Globalization;
using CmvcStream.Core.Media;

namespace CmvcStream.Evaluate.Live;

/// <summary>What the sending page is told.</summary>
/// <param name="Codec">As in a media type: VP8, VP9, H264, AV1.</param>
/// <param name="Step">Every n-th captured frame is sent.</param>
/// <param name="Divisor">Of the picture's sides.</param>
/// <param name="Kbps">Most that the video may take.</param>
/// <param name="StartKbps">What the browser believes of the link at first; without, 300 kbit/s.</param>
internal sealed record WebRtcSettings(string Codec, int Step, int Divisor, int Kbps, int StartKbps)
{
    // Of LiveTrialTests only four settings have been run, VP8 at 8 kbit/s on one clip: that row is the best of them.
    // 16 and 32 have not been compared, and no other codec has by LPIPS.
    private static readonly (double LinkKbps, string Codec, int Step, int Divisor, double Share)[] Table = [(8, "VP8", 5, 2, 0.5), (16, "VP8", 3, 2, 0.6), (32, "VP8", 3, 2, 0.7)];

    /// <summary>The best that is known for a rate.</summary>
    public static WebRtcSettings For(Bitrate link)
    {
        var kbps = link.KilobitsPerSecond;
        var (_, codec, step, divisor, share) = Table.LastOrDefault(row => row.LinkKbps <= kbps, Table[0]);
        var most = Math.Max(1, (int)(kbps * share));
        return new(codec, step, divisor, most, Math.Max(5, most));
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Codec}, sides / {Divisor}, every {Step}. frame, at most {Kbps} kbit/s of video, {StartKbps} at first");
}
