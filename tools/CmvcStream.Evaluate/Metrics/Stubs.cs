#pragma warning disable CA1822
namespace CmvcStream.Inference { public sealed class ModelException : Exception { } }
namespace CmvcStream.Evaluate.Metrics
{
    using CmvcStream.Core.Media; using CmvcStream.Evaluate.Measure;
    internal sealed class LpipsNetwork(string path, PixelSize size) : IDisposable { public double Distance(ReadOnlySpan<byte> a, ReadOnlySpan<byte> b) => path.Length + size.Area > 0 && a[0] == b[0] ? 0 : .1; public void Dispose() { } }
    internal sealed class VmafProgram(string f) { public string Ffmpeg => f; public static Task<VmafProgram?> FindAsync(string? p, CancellationToken stop) => Task.FromResult<VmafProgram?>(null); public Task<double?> ScoreAsync(Reference r, string file, double fps, CancellationToken stop) => Task.FromResult<double?>(null); }
    internal static class Luma { public static void FromRgb24(ReadOnlySpan<byte> rgb, Span<byte> luma) { for (var i = 0; i < luma.Length; i++) luma[i] = rgb[3 * i + 1]; } }
    internal static class Psnr { public static double MeanSquaredError(ReadOnlySpan<byte> a, ReadOnlySpan<byte> b) { double s = 0; for (var i = 0; i < a.Length; i++) s += (a[i] - b[i]) * (a[i] - b[i]); return s / a.Length; } public static double Decibels(double m) => 10 * Math.Log10(65025 / m); }
    internal sealed class StructuralSimilarity(int w, int h) { public double Ssim(ReadOnlySpan<byte> a, ReadOnlySpan<byte> b) => w * h > 0 ? .5 + a[0] - b[0] : 0; public double MultiScale(ReadOnlySpan<byte> a, ReadOnlySpan<byte> b) => .5 + a[0] - b[0]; }
    internal sealed record RatePoint(double Kbps, double Value);
    internal sealed record BjontegaardResult(double? RatePercent, double OverlapOfTest);
    internal static class BjontegaardDelta { public static BjontegaardResult Compute(IReadOnlyList<RatePoint> a, IReadOnlyList<RatePoint> t, bool h) => new(a.Count + t.Count + (h ? 1 : 0), .5); }
}
