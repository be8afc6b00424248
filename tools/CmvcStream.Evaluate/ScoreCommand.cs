using System.CommandLine;
using System.Text.Json;
using CmvcStream.CommandLine;
using CmvcStream.Evaluate.Compare;
using CmvcStream.Evaluate.Measure;
using CmvcStream.Evaluate.Media;
using CmvcStream.Evaluate.Metrics;

namespace CmvcStream.Evaluate;

/// <summary>score SOURCE RESULT: every metric of one file against another, as JSON.</summary>
internal static class ScoreCommand
{
    public static Command Build(TextWriter output, TextWriter error)
    {
        var source = new Argument<string>("SOURCE") { Description = "What was sent." };
        var result = new Argument<string>("RESULT") { Description = "What was shown: frame k depicts source time k / fps." };
        var fps = EvaluateCommand.Number("--fps", 15, 1, 60, "Frames of the source a second that are compared.");
        var resultFps = EvaluateCommand.Number("--result-fps", 30, 1, 240, "Frames of the result a second.");
        var skip = EvaluateCommand.Number("--skip", 0, 0, 3600, "Seconds at the start that are not scored.");
        var seconds = EvaluateCommand.Number("--seconds", 30, 1, 3600, "Length.");
        var (every, size) = (EvaluateCommand.Every(), EvaluateCommand.Size());
        var lpips = CommandOptions.Value<string?>("--lpips", "FILE.onnx", t => t, "A network for LPIPS and tLP.");
        var vmaf = CommandOptions.Value<string?>("--vmaf", "FFMPEG", t => t, "An ffmpeg with libvmaf.");
        var vmafModel = CommandOptions.Value<string?>("--vmaf-model", "FILE", t => t, "VMAF's model, where that ffmpeg brings none along.");
        var picture = CommandOptions.Value<string?>("--picture", "FILE.jpg", t => t, "Takes one picture of the result.");
        var command = new Command("score", "Scores a received video against its source.")
        {
            source, result, fps, resultFps, skip, every, seconds, size, lpips, vmaf, vmafModel, picture,
        };
        command.SetAction((r, stop) => EvaluateCommand.Guarded(error, async () =>
        {
            var video = await VideoFile.ProbeAsync(r.GetRequiredValue(source), stop);
            var plan = new ScoringPlan(r.GetValue(fps), Math.Min(r.GetValue(seconds), (int)Math.Round(video.Seconds)), r.GetValue(skip), r.GetValue(every));
            if (plan.SkipSeconds >= plan.Seconds)
                throw new FormatException($"--skip {plan.SkipSeconds} leaves nothing of {plan.Seconds} s to score");
            var reference = await Reference.ReadAsync(new("source", video.Path, video.Within(r.GetValue(size))), plan, stop);
            using var scorer = new Scorer(reference, r.GetValue(lpips), await Vmaf.FindAsync(r.GetValue(vmaf), r.GetValue(vmafModel), stop));
            var scores = await scorer.ScoreAsync(r.GetRequiredValue(result), r.GetValue(resultFps), r.GetValue(picture), stop);
            await output.WriteLineAsync(JsonSerializer.Serialize(scores, EvaluationJson.Default.Scores));
            return 0;
        }));
        return command;
    }
}
