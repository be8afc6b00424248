using System.Diagnostics;
using CmvcStream.Core.Codec;
using CmvcStream.Core.Media;
using CmvcStream.Protos;
using CmvcStream.TestKit;
using Xunit;

namespace CmvcStream.Core.Tests.Codec;

/// <summary>
/// Keyframe selection on real clips joined end to end, 480x270 at 15 frames/s. Opt-in: needs ffmpeg and the shared clips, in CMVC_SHARED or
/// beside the repository. The clips were split in halves by origin; the selector was tuned on the other half, this one is unseen.
/// </summary>
public class JoinedClipsTests
{
    private const int CutTolerance = 1, Thumbnail = 120 * 68;

    private static readonly Lazy<Task<Joined>> Clips = new(JoinAsync);

    [Fact]
    public async Task Consider_JoinedClips_FindsCutsWithF1AboveNineTenths()
    {
        var clips = await Clips.Value;
        var detector = new SceneCutDetector(new());
        var found = Enumerable.Range(0, clips.Embeddings.Count).Where(i => detector.Consider(clips.Embeddings[i]) == CutVerdict.Confirmed).ToList();

        var missed = clips.Cuts.ToList();
        var right = found.Count(f => missed.RemoveAll(c => Math.Abs(c - f) <= CutTolerance) > 0);
        var f1 = 2.0 * right / (found.Count + clips.Cuts.Count);
        TestContext.Current.TestOutputHelper?.WriteLine($"{clips.Embeddings.Count} frames, {clips.Cuts.Count} cuts, found {found.Count}, right {right}, F1 {f1:0.000}");
        Assert.True(clips.Cuts.Count >= 30);
        Assert.True(f1 >= 0.9, $"F1 {f1:0.000}");
    }

    /// <summary>A proxy of regeneration: the mean error of blending from keyframe to keyframe, at the same number of keyframes.</summary>
    [Theory]
    [InlineData(3)]
    [InlineData(5)]
    [InlineData(8)]
    [InlineData(15)]
    public async Task Consider_JoinedClips_BlendsBetterThanUniformSpacing(int target)
    {
        var clips = await Clips.Value;
        var selector = new KeyframeSelector();
        var keyframes = new List<int> { 0 };
        selector.Keyframe(clips.Embeddings[0], KeyframeReason.SceneCut);
        for (var i = 1; i < clips.Embeddings.Count; i++)
        {
            if (selector.Consider(clips.Embeddings[i], i - keyframes[^1], target, target * 0.7, target * 1.5) is not { } reason)
                continue;
            selector.Keyframe(clips.Embeddings[i], reason);
            keyframes.Add(i);
        }

        var spacing = (double)clips.Embeddings.Count / keyframes.Count;
        double chosen = BlendError(clips.Pictures, keyframes), uniform = BlendError(clips.Pictures, [.. Enumerable.Range(0, keyframes.Count).Select(i => (int)(i * spacing))]);
        TestContext.Current.TestOutputHelper?.WriteLine($"target {target}, mean interval {spacing:0.00}, blend error {chosen:0.000}, uniform {uniform:0.000}");
        Assert.InRange(spacing, target * 0.85, target * 1.15);
        Assert.True(chosen < uniform, $"{chosen:0.000} against {uniform:0.000} of uniform spacing");
    }

    private static double BlendError(List<byte[]> pictures, List<int> keyframes)
    {
        double total = 0;
        for (var k = 0; k < keyframes.Count; k++)
        {
            int from = keyframes[k], to = k + 1 < keyframes.Count ? keyframes[k + 1] : pictures.Count - 1;
            for (var i = from + 1; i < to; i++)
            {
                var weight = (float)(i - from) / (to - from);
                float error = 0;
                for (var p = 0; p < Thumbnail; p++)
                    error += Math.Abs(pictures[i][p] - ((1 - weight) * pictures[from][p] + weight * pictures[to][p]));
                total += error / Thumbnail;
            }
        }

        return total / pictures.Count;
    }

    private static async Task<Joined> JoinAsync()
    {
        var media = SharedFolder.Find("media/dev") ?? "";
        Assert.SkipWhen(media.Length == 0, "no shared clips: set CMVC_SHARED to the folder that holds media/dev");
        var joined = new Joined([], [], []);
        var embedding = new DescriptorEmbedding();
        var reducer = new PlaneReducer();
        using var frame = VideoFrame.Allocate(new(480, 270));
        foreach (var (clip, cuts) in Half)
        {
            var start = joined.Embeddings.Count;
            joined.Cuts.AddRange(cuts.Select(c => start + c));
            if (start > 0)
                joined.Cuts.Add(start);
            await using var pixels = new MemoryStream(await DecodeAsync(Path.Combine(media, clip + ".mp4")));
            while (Read(pixels, frame))
            {
                var vector = new float[embedding.Dimensions];
                embedding.Embed(frame, vector);
                joined.Embeddings.Add(vector);
                var picture = new byte[Thumbnail];
                reducer.Reduce(frame.Y, picture, 120, 68);
                joined.Pictures.Add(picture);
            }

            Assert.True(joined.Embeddings.Count > start, $"{clip}: ffmpeg gave no frame");
        }

        return joined;
    }

    private static async Task<byte[]> DecodeAsync(string clip)
    {
        var start = new ProcessStartInfo("ffmpeg") { RedirectStandardOutput = true };
        foreach (var argument in new[] { "-v", "error", "-nostdin", "-i", clip, "-t", "6", "-vf", "fps=15,scale=480:270:flags=area", "-pix_fmt", "yuv420p", "-f", "rawvideo", "-" })
            start.ArgumentList.Add(argument);
        using var process = Process.Start(start) ?? throw new InvalidOperationException("ffmpeg did not start");
        using var pixels = new MemoryStream();
        await process.StandardOutput.BaseStream.CopyToAsync(pixels);
        await process.WaitForExitAsync();
        return pixels.ToArray();
    }

    private static bool Read(Stream pixels, VideoFrame frame)
    {
        foreach (var plane in new[] { frame.Y, frame.U, frame.V })
        {
            for (var y = 0; y < plane.Height; y++)
            {
                if (pixels.ReadAtLeast(plane.Row(y), plane.Width, throwOnEndOfStream: false) < plane.Width)
                    return false;
            }
        }

        return true;
    }

    private sealed record Joined(List<float[]> Embeddings, List<byte[]> Pictures, List<int> Cuts);

    /// <summary>Clip, and the frames at which the clip itself has a cut (found by eye).</summary>
    private static readonly (string Clip, int[] Cuts)[] Half =
    [
        ("fight-detection-surv-dataset-nofi061", []),
        ("tennis-tracking-video_input3", []),
        ("fight-detection-surv-dataset-nofi146", []),
        ("video-retalking-1", []),
        ("fight-detection-surv-dataset-nofi034", []),
        ("tennis-tracking-video_input4", []),
        ("fight-detection-surv-dataset-nofi101", []),
        ("video-retalking-2", []),
        ("fight-detection-surv-dataset-nofi128", []),
        ("tennis-tracking-video_input5", []),
        ("fight-detection-surv-dataset-nofi017", []),
        ("video-retalking-3", []),
        ("fight-detection-surv-dataset-nofi004", []),
        ("video-llama-applausing", []),
        ("fight-detection-surv-dataset-nofi127", []),
        ("mmaction2-demo", []),
        ("fight-detection-surv-dataset-nofi067", []),
        ("tfjs-models-asl_hand.25fps", []),
        ("fight-detection-surv-dataset-nofi148", []),
        ("tennis-tracking-video_input6", []),
        ("fight-detection-surv-dataset-nofi060", []),
        ("video-retalking-4", []),
        ("fight-detection-surv-dataset-nofi050", []),
        ("video-llama-boat", []),
        ("fight-detection-surv-dataset-nofi145", []),
        ("mmaction2-demo_skeleton", []),
        ("fight-detection-surv-dataset-nofi147", []),
        ("tfjs-models-pose_1", []),
        ("fight-detection-surv-dataset-nofi108", []),
        ("controlvideo-mallard-water", []),
        ("bgslibrary-video02", []),
        ("tokenflow-wolf", []),
        ("mmskeleton-clean_and_jerk", []),
        ("fight-detection-surv-dataset-nofi039", []),
        ("lipnet-bbaf2n", []),
        ("tennis-tracking-video_input8", []),
        ("video-retalking-5", []),
        ("video-llama-skateboarding_dog", []),
        ("mmaction2-test", []),
        ("tfjs-models-pose_squats", []),
        ("controlvideo-moonwalk", []),
        ("bgslibrary-video03", []),
        ("tokenflow-woman-running", []),
        ("mmskeleton-ta_chi", []),
        ("video-depth-anything-davis_rollercoaster", []),
        ("depth-anything-davis_dolphins", []),
        ("ask-anything-hitting_baseball", []),
        ("video-llava-sample_demo_9", []),
        ("pysot-bag", []),
        ("face_recognition-short_hamilton_clip", [10, 41]),
        ("latentsync-demo2_video", []),
        ("mmtracking-demo", []),
        ("rave-truck", []),
        ("motiondirector-stock-footage-young-stylish-businessman-", []),
        ("real3dportrait-may_5s", []),
    ];
}
