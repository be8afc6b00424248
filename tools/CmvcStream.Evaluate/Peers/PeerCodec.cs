using System.Globalization;

namespace CmvcStream.Evaluate.Peers;

/// <summary>
/// An encoder that people would use instead, as ffmpeg drives it, with what is asked of its rate control, from the fewest bytes to the most.
/// Average bit rates, without a bound on bursts (VBV), in the others' favour: near the coarsest quantisers they spend bytes far better than
/// constant quality does, and x265's constant rate factor does not get there at all (a traffic camera at half size, LPIPS: x265 .29 at
/// 5.0 kbit/s against .39 at 5.4; libaom .158 at 9.4 against .20; libaom in realtime usage the same either way). SVT-AV1 has no average rate
/// in low delay, and its constant rate is far worse than its constant quality (.37 at 8.0 against .29).
/// </summary>
/// <param name="Name">As --against has it.</param>
/// <param name="Encoder">ffmpeg's name.</param>
/// <param name="Common">Arguments of every encoding.</param>
/// <param name="LeastSide">Pixels of the least width and height that it takes: SVT-AV1 refuses less, x265 3.5 crashes.</param>
/// <param name="Settings">Zero-latency and lookahead.</param>
internal sealed record PeerCodec(string Name, string Encoder, string[] Common, int LeastSide, PeerSetting[] Settings)
{
    private static readonly string[] AverageRates = [.. new[] { 1, 4, 8, 18, 36, 72 }.Select(k => string.Create(CultureInfo.InvariantCulture, $"-b:v {k}k"))];
    private static readonly string[] ConstantQualities = [.. new[] { 63, 55, 46, 37, 28, 19 }.Select(q => $"-crf {q} -b:v 0")];

    public static IReadOnlyList<PeerCodec> All { get; } =
    [
        new("x264", "libx264", ["-preset", "slow", "-g", "9999", "-threads", "1"], 16,
            [new("zero-latency", ["-tune", "zerolatency"], AverageRates), new("lookahead", [], AverageRates)]),
        new("x265", "libx265", ["-preset", "slow", "-x265-params", "keyint=9999:pools=1:frame-threads=1:log-level=error"], 32,
            [new("zero-latency", ["-tune", "zerolatency"], AverageRates), new("lookahead", [], AverageRates)]),
        new("libaom", "libaom-av1", ["-g", "9999", "-threads", "1"], 16,
            [new("zero-latency", ["-usage", "realtime", "-cpu-used", "5", "-lag-in-frames", "0"], AverageRates),
                new("lookahead", ["-usage", "good", "-cpu-used", "5", "-lag-in-frames", "25"], AverageRates)]),
        new("svtav1", "libsvtav1", ["-g", "9999", "-preset", "6"], 64,
            [new("zero-latency", ["-svtav1-params", "pred-struct=1:lp=1"], ConstantQualities), new("lookahead", ["-svtav1-params", "lp=1:rc=1"], AverageRates)]),
    ];

    /// <exception cref="FormatException">There is none of this name.</exception>
    public static PeerCodec Find(string name) => All.FirstOrDefault(c => c.Name == name)
        ?? throw new FormatException($"'{name}' is nobody to compare with; there are {string.Join(", ", All.Select(c => c.Name))} (or none)");
}

/// <summary>A way to drive an encoder, and what is asked of its rate control in turn, fewest bytes first.</summary>
internal sealed record PeerSetting(string Name, string[] Arguments, string[] Controls);
