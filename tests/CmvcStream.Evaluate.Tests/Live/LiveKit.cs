using CmvcStream.Core.Media;
using CmvcStream.Evaluate.Live;
using CmvcStream.Evaluate.Media;

namespace CmvcStream.Evaluate.Tests.Live;

/// <summary>A scene of a few seconds in a folder of its own, which goes with it.</summary>
internal sealed class LiveKit : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("cmvc-live").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    public async Task<LiveScene> SceneAsync(double seconds, string rate)
    {
        var source = Path.Combine(_folder, "source.mkv");
        await ChildProcess.RunAsync("ffmpeg", ["-v", "error", "-f", "lavfi", "-i", $"testsrc2=size=320x180:rate=15:duration={seconds}", "-c:v", "ffv1", source]);
        return new(source, new(160, 90), 15, seconds, Bitrate.Parse(rate), ["--rate", rate, "--delay", "50ms"], Path.Combine(_folder, "run")) { DrainSeconds = 3 };
    }

    /// <summary>PSNR of luma, dB, between what was shown and what was captured, from a second on. A picture of another time would be far off.</summary>
    public static async Task<double> PsnrAsync(LiveScene scene, string shown, double from)
    {
        var said = await ChildProcess.RunAsync("sh", ["-c", $"ffmpeg -hide_banner -nostats -i '{shown}' -i '{scene.PathOf("captured.mp4")}' -lavfi \"[0]trim=start={from},setpts=PTS-STARTPTS[a];[1]trim=start={from},setpts=PTS-STARTPTS[b];[a][b]psnr\" -f null - 2>&1"]);
        var at = said.LastIndexOf("PSNR y:", StringComparison.Ordinal);
        return double.Parse(said[(at + 7)..].Split(' ')[0], System.Globalization.CultureInfo.InvariantCulture);
    }
}
