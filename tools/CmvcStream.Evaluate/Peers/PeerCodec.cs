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
/// <param name="Settings">Lookahead and zero-latency.</param>
internal sealed record PeerCodec(string Name, string Encoder, string[] Common, int LeastSide, PeerSetting[] Settings)
{
    private static readonly PeerRung[] AverageRates =
        [.. new[] { 1, 4, 8, 18, 36, 72 }.Select(k => new PeerRung(string.Create(CultureInfo.InvariantCulture, $"-b:v {k}k"), k))];
    private static readonly PeerRung[] ConstantQualities = [.. new[] { 63, 55, 46, 37, 28, 19 }.Select(q => new PeerRung($"-crf {q} -b:v 0", null))];

    public static IReadOnlyList<PeerCodec> All { get; } =
    [
        new("x264", "libx264", ["-preset", "slow", "-g", "9999", "-threads", "1"], 16,
            [new(PeerSetting.Lookahead, [], AverageRates), new(PeerSetting.ZeroLatency, ["-tune", "zerolatency"], AverageRates)]),
        new("x265", "libx265", ["-preset", "slow", "-x265-params", "keyint=9999:pools=1:frame-threads=1:log-level=error"], 32,
            [new(PeerSetting.Lookahead, [], AverageRates), new(PeerSetting.ZeroLatency, ["-tune", "zerolatency"], AverageRates)]),
        new("libaom", "libaom-av1", ["-g", "9999", "-threads", "1"], 16,
            [new(PeerSetting.Lookahead, ["-usage", "good", "-cpu-used", "5", "-lag-in-frames", "25"], AverageRates),
                new(PeerSetting.ZeroLatency, ["-usage", "realtime", "-cpu-used", "5", "-lag-in-frames", "0"], AverageRates)]),
        new("svtav1", "libsvtav1", ["-g", "9999", "-preset", "6"], 64,
            [new(PeerSetting.Lookahead, ["-svtav1-params", "lp=1:rc=1"], AverageRates),
                new(PeerSetting.ZeroLatency, ["-svtav1-params", "pred-struct=1:lp=1"], ConstantQualities)]),
    ];

    /// <exception cref="FormatException">There is none of this name.</exception>
    public static PeerCodec Find(string name) => All.FirstOrDefault(c => c.Name == name)
        ?? throw new FormatException($"'{name}' is nobody to compare with; there are {string.Join(", ", All.Select(c => c.Name))} (or none)");
}

/// <summary>A way to drive an encoder.</summary>
/// <param name="Name"><see cref="Lookahead"/> or <see cref="ZeroLatency"/>.</param>
/// <param name="Arguments">ffmpeg's.</param>
/// <param name="Ladder">What is asked of its rate control in turn, fewest bytes first; two rungs at least.</param>
internal sealed record PeerSetting(string Name, string[] Arguments, PeerRung[] Ladder)
{
    public const string Lookahead = "lookahead", ZeroLatency = "zero-latency";
}

/// <summary>What is asked of a rate control.</summary>
/// <param name="Arguments">ffmpeg's.</param>
/// <param name="Kbps">The rate, in kbit/s, where it is one.</param>
internal sealed record PeerRung(string Arguments, double? Kbps);
