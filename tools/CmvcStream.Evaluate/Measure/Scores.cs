using System.Text.Json.Serialization;

namespace CmvcStream.Evaluate.Measure;

/// <summary>What a result is worth against its source; null was not measured.</summary>
/// <param name="Psnr">Peak signal-to-noise ratio of luma, dB, of the mean squared error of all scored pictures.</param>
/// <param name="Ssim">Structural similarity of luma (Wang et al. 2004), mean.</param>
/// <param name="MsSsim">Multi-scale structural similarity of luma (Wang et al. 2003), mean.</param>
/// <param name="Lpips">Learned perceptual distance (Zhang et al. 2018), mean; less is better.</param>
/// <param name="Tlp">Temporal distance (Chu et al. 2020): flicker and held pictures raise it; less is better.</param>
/// <param name="Vmaf">Netflix's VMAF, mean, 0 to 100.</param>
internal sealed record Scores(double Psnr, double Ssim, double MsSsim, double? Lpips, double? Tlp, double? Vmaf);

/// <summary>One of the measures: how it is called, how it is read, and which way is better.</summary>
internal sealed record Metric(string Name, string Unit, bool HigherIsBetter, int Decimals, [property: JsonIgnore] Func<Scores, double?> Of)
{
    public static Metric Lpips { get; } = new("LPIPS", "", false, 4, s => s.Lpips);

    public static Metric Tlp { get; } = new("tLP", "", false, 4, s => s.Tlp);

    public static Metric Ssim { get; } = new("SSIM", "", true, 4, s => s.Ssim);

    public static Metric MsSsim { get; } = new("MS-SSIM", "", true, 4, s => s.MsSsim);

    public static Metric Psnr { get; } = new("PSNR", "dB", true, 2, s => s.Psnr);

    public static Metric Vmaf { get; } = new("VMAF", "", true, 1, s => s.Vmaf);

    public static IReadOnlyList<Metric> All { get; } = [Lpips, Tlp, Ssim, MsSsim, Psnr, Vmaf];

    /// <summary>Whether one value is better than another.</summary>
    public bool Better(double a, double b) => HigherIsBetter ? a > b : a < b;

    public string Text(double? value) => value is { } v ? v.ToString("F" + Decimals, System.Globalization.CultureInfo.InvariantCulture) : "-";
}
