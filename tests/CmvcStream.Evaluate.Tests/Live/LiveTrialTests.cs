using System.Globalization;
using CmvcStream.Core.Media;
using CmvcStream.Evaluate.Live;
using CmvcStream.Evaluate.Measure;
using CmvcStream.Evaluate.Media;
using CmvcStream.TestKit;

namespace CmvcStream.Evaluate.Tests.Live;

/// <summary>
/// The trial for the tables of <see cref="FfmpegSettings"/> and <see cref="WebRtcSettings"/>: each peer with each of many settings at each rate, in
/// real time. Takes an hour, so it runs only when it is told where to write its table and what to send:
/// <c>CMVC_LIVE_TRIAL=trial.tsv CMVC_LIVE_CLIPS=a.mp4:b.mp4 CmvcStream.Evaluate.Tests --filter-class '*LiveTrialTests'</c>; CMVC_LIVE_ONLY=TEXT takes only
/// rows that contain it. Best is the least LPIPS from 10 s on, among those whose latency is below 5 s in 95 of 100 pictures: later is not live.
/// </summary>
public sealed class LiveTrialTests(ITestOutputHelper output)
{
    private const int Fps = 15, Seconds = 30, Skip = 10, AtOnce = 4;
    private static readonly int[] _rates = [8, 16, 32];

    [Fact]
    public async Task Trial_EverySetting_IsMeasured()
    {
        var (table, clips) = (Environment.GetEnvironmentVariable("CMVC_LIVE_TRIAL"), Environment.GetEnvironmentVariable("CMVC_LIVE_CLIPS"));
        Assert.SkipWhen(table is null || clips is null, "takes an hour: runs where CMVC_LIVE_TRIAL and CMVC_LIVE_CLIPS are set");
        var lpips = SharedFolder.Find("eval") is { } eval ? Path.Combine(eval, "lpips_sq.onnx") : null;
        var only = Environment.GetEnvironmentVariable("CMVC_LIVE_ONLY") ?? "";
        var trials =
            from rate in _rates
            from clip in clips.Split(':')
            from peer in Ffmpeg(rate).Concat(WebRtc(rate))
            let name = string.Create(CultureInfo.InvariantCulture, $"{peer.Peer.Name}\t{rate}\t{peer.Settings}\t{Path.GetFileNameWithoutExtension(clip)}")
            where name.Contains(only, StringComparison.Ordinal)
            select (peer.Peer, rate, clip, name);
        await Parallel.ForEachAsync(trials, new ParallelOptions { MaxDegreeOfParallelism = AtOnce }, async (trial, stop) =>
        {
            var row = $"{trial.name}\t{await MeasureAsync(trial.Peer, trial.rate, trial.clip, lpips, stop)}";
            lock (output)
            {
                output.WriteLine(row);
                File.AppendAllLines(table, [row]);
            }
        });
    }

    private static IEnumerable<(ILivePeer Peer, string Settings)> Ffmpeg(int rate) =>
        from codec in new[] { LiveCodec.X264, LiveCodec.X265 }
        from divisor in new[] { 1, 2 } // 4 was worse than 2 even at 8 kbit/s, in each pair that ran
        from step in rate == 8 ? new[] { 6, 8, 10 } : rate == 16 ? [3, 5, 7] : [2, 3, 5]
        let settings = new FfmpegSettings(step, divisor, FfmpegSettings.VideoKbps(rate, (double)Fps / step, udp: false))
        select ((ILivePeer)new FfmpegPeer(codec, udp: false, settings), settings.ToString());

    private static IEnumerable<(ILivePeer Peer, string Settings)> WebRtc(int rate) =>
        from codec in new[] { "VP8", "H264", "AV1", "VP9" }
        from divisor in rate == 32 ? new[] { 1, 2 } : [2, 4]
        from step in rate == 32 ? new[] { 2, 3 } : [3, 5]
        from share in rate == 8 ? new[] { 0.35, 0.5 } : [0.6]
        // VP9 kept to no rate at 8 kbit/s: once is enough.
        where codec != "VP9" || (divisor == 2 && step == 3)
        let settings = new WebRtcSettings(codec, step, divisor, (int)(rate * share), Math.Max(5, (int)(rate * share)))
        select ((ILivePeer)new WebRtcPeer(settings), settings.ToString());

    private static async Task<string> MeasureAsync(ILivePeer peer, int rate, string clip, string? lpips, CancellationToken stop)
    {
        var folder = Directory.CreateTempSubdirectory("cmvc-trial").FullName;
        try
        {
            var size = (await VideoFile.ProbeAsync(clip, stop)).Within(new(480, 270));
            var scene = new LiveScene(clip, size, Fps, Seconds, new Bitrate(rate * 1000), ["--rate", $"{rate}kbps", "--delay", "100ms"], folder);
            var run = await peer.RunAsync(scene, stop);
            if (run.FailureReason is { } why)
                return $"failed\t{why.ReplaceLineEndings(" ")}";
            var reference = await Reference.ReadAsync(new("trial", scene.PathOf("captured.mp4"), size), new(Fps, Seconds, Skip, 7), stop);
            using var scorer = new Scorer(reference, lpips, null);
            var scores = await scorer.ScoreAsync(run.ShownFile!, Fps, null, stop);
            var (freezes, latency) = (LiveMeasures.FreezesOf(run.Pictures, Seconds)!.Value, LiveMeasures.Latency(run.Pictures)!.Value);
            return string.Create(CultureInfo.InvariantCulture,
                $"LPIPS {scores.Lpips:0.0000}\tfirst {LiveMeasures.FirstPicture(run.Pictures):0.0} s\tshown {LiveMeasures.ShownShare(run.Pictures, Fps, Seconds):0.000}\tfreezes {freezes.Count}, longest {freezes.LongestSeconds:0.0} s\tlatency {latency.P50:0.00}, {latency.P95:0.00} s\twire {run.UpKbps:0.0}, {run.DownKbps:0.0}\tSSIM {scores.Ssim:0.000}");
        }
        catch (EvaluateException e)
        {
            return $"failed\t{e.Message.ReplaceLineEndings(" ")}";
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
