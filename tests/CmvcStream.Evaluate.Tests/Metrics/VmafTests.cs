using CmvcStream.Evaluate.Media;
using CmvcStream.Evaluate.Metrics;

namespace CmvcStream.Evaluate.Tests.Metrics;

public sealed class VmafTests : IDisposable
{
    private const string Filters = " ... libvmaf           VV->V      Calculate the VMAF between two video streams.";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("cmvc-vmaf-tests");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void Parse_LogOfVersion2_HasItsPooledMean()
    {
        var scores = VmafScores.Parse("""
            {"version":"2.3.1","fps":50.1,
             "frames":[{"frameNum":0,"metrics":{"integer_motion":0.0,"vmaf":90.5}},{"frameNum":1,"metrics":{"vmaf":80.0}}],
             "pooled_metrics":{"vmaf":{"min":80.0,"max":90.5,"mean":85.25,"harmonic_mean":84.9}},"aggregate_metrics":{}}
            """);
        Assert.Equal([90.5, 80], scores.Frames);
        Assert.Equal(85.25, scores.Pooled);
    }

    // As libvmaf 1.3.7 writes it, but for the order.
    [Fact]
    public void Parse_LogOfVersion1_PoolsTheFramesInOrder()
    {
        var scores = VmafScores.Parse("""
            {"version":"1.3.7","params":{"model":"","subsample":1},"metrics":["adm2","vmaf"],
             "frames":[{"frameNum":1,"metrics":{"adm2":0.9,"vmaf":89.0}},{"frameNum":0,"metrics":{"adm2":0.97,"vmaf":66.0}},
              {"frameNum":2,"metrics":{"vmaf":91.0}}]}
            """);
        Assert.Equal([66, 89, 91], scores.Frames);
        Assert.Equal(82, scores.Pooled, 1e-12);
        Assert.Equal(90, scores.Mean(1));
        Assert.Equal(77.5, scores.Mean(0, 2));
        Assert.Null(scores.Mean(3));
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{"frames":[]}""")]
    [InlineData("""{"frames":[{"frameNum":0,"metrics":{"vmaf":"high"}}]}""")]
    [InlineData("""{"frames":[{"frameNum":0,"metrics":{}}]}""")]
    [InlineData("""{"frames":{"frameNum":0}}""")]
    public void Parse_NotALog_Throws(string text) => Assert.Throws<EvaluateException>(() => VmafScores.Parse(text));

    [Fact]
    public async Task MeasureAsync_FfmpegWithFilter_ScoresDistortedAgainstReference()
    {
        var ffmpeg = Fake("""echo '{"frames":[{"frameNum":0,"metrics":{"vmaf":70}},{"frameNum":1,"metrics":{"vmaf":72}}]}' >"$log" """);
        var result = await MeasureAsync(ffmpeg, model: null);
        Assert.Null(result.WhyNot);
        Assert.Equal(71, result.Scores!.Pooled);
        var told = await File.ReadAllLinesAsync(InFolder("told"));
        Assert.Equal([InFolder("distorted"), InFolder("reference")], told.Where((_, i) => i > 0 && told[i - 1] == "-i"));
        var graph = told[Array.IndexOf(told, "-lavfi") + 1];
        Assert.Contains("[0:v:0]fps=12.5,scale=480:270:", graph);
        Assert.Contains("[distorted][reference]libvmaf=", graph);
        Assert.DoesNotContain("model", graph);
    }

    [Theory]
    [InlineData("  model_path        <string>     ..FV....... Set the model", ":model_path=/a b/m.json")]
    [InlineData("  model             <string>     ..FV....... Set the model", ":model=path=/a b/m.json")]
    public async Task MeasureAsync_GivenModel_TellsFilterAsItsVersionTakesIt(string help, string expected)
    {
        var result = await MeasureAsync(Fake("""echo '{"frames":[{"frameNum":0,"metrics":{"vmaf":70}}]}' >"$log" """, help), "/a b/m.json");
        Assert.Null(result.WhyNot);
        Assert.Contains(await File.ReadAllLinesAsync(InFolder("told")), line => line.EndsWith(expected, StringComparison.Ordinal));
    }

    [Fact]
    public async Task MeasureAsync_ModelMissing_SaysWhatFfmpegSaid()
    {
        var result = await MeasureAsync(Fake("echo 'problem loading model file' >&2; exit 1"), model: null);
        Assert.Null(result.Scores);
        Assert.Contains("problem loading model file", result.WhyNot);
        Assert.Contains("give an ffmpeg that was built with libvmaf", result.WhyNot);
    }

    [Fact]
    public async Task MeasureAsync_LogMissing_SaysSo() => Assert.Contains("log.json", (await MeasureAsync(Fake(":"), model: null)).WhyNot);

    [Fact]
    public async Task MeasureAsync_FfmpegWithoutFilter_SaysSo()
    {
        var result = await MeasureAsync(Fake(":", filters: " ... vmafmotion        V->V       Calculate the VMAF Motion score."), model: null);
        Assert.Null(result.Scores);
        Assert.Contains("has no libvmaf filter", result.WhyNot);
    }

    [Fact]
    public async Task MeasureAsync_NoFfmpeg_SaysSo() =>
        Assert.Contains("no-such-ffmpeg", (await MeasureAsync("no-such-ffmpeg", model: null)).WhyNot);

    [Fact]
    public async Task MeasureAsync_NoVideo_Throws() =>
        await Assert.ThrowsAsync<EvaluateException>(() => Vmaf.MeasureAsync(InFolder("none"), InFolder("none"), Options("ffmpeg", null)));

    [Fact]
    public void Escape_MarksOfFilterGraphs_AreEscapedForBothLevels() => Assert.Equal(@"C\\:/a\,b/it\\\'s\[1\]", Vmaf.Escape("C:/a,b/it's[1]"));

    // CMVC_VMAF_FFMPEG and CMVC_VMAF_MODEL name another program and model than PATH's ffmpeg with the model that it brings.
    [Fact]
    public async Task MeasureAsync_RealFfmpeg_BlurLowersTheScore()
    {
        var ffmpeg = Environment.GetEnvironmentVariable("CMVC_VMAF_FFMPEG") ?? "ffmpeg";
        var model = Environment.GetEnvironmentVariable("CMVC_VMAF_MODEL");
        // Marks that a filter graph would take for its own.
        string source = InFolder("it's [a], source:1.mkv"), blurred = InFolder("blurred;2.mkv");
        foreach (var (path, filter) in ((string, string)[])[(source, "null"), (blurred, "boxblur=4")])
        {
            string[] make = ["-v", "error", "-f", "lavfi", "-i", $"testsrc2=s=192x192:r=10:d=1,{filter}", "-c:v", "ffv1", path];
            await ChildProcess.RunAsync("ffmpeg", make);
        }

        var options = Options(ffmpeg, model);
        VmafResult same = await Vmaf.MeasureAsync(source, source, options), worse = await Vmaf.MeasureAsync(blurred, source, options);
        Assert.SkipWhen(same.Scores is null && ffmpeg == "ffmpeg", $"no VMAF here: {same.WhyNot}");
        Assert.Null(same.WhyNot);
        Assert.Equal(13, same.Scores!.Frames.Count, 1.0);
        Assert.True(worse.Scores!.Pooled < same.Scores.Pooled - 5, $"{worse.Scores.Pooled} of the blurred, {same.Scores.Pooled} of the same");
    }

    private string InFolder(string name) => Path.Combine(_folder.FullName, name);

    private static VmafOptions Options(string ffmpeg, string? model) =>
        new() { Size = new(480, 270), FramesPerSecond = 12.5, Ffmpeg = ffmpeg, Model = model };

    private async Task<VmafResult> MeasureAsync(string ffmpeg, string? model)
    {
        foreach (var name in (string[])["distorted", "reference"])
            await File.WriteAllTextAsync(InFolder(name), "");
        return await Vmaf.MeasureAsync(InFolder("distorted"), InFolder("reference"), Options(ffmpeg, model));
    }

    /// <summary>A program that answers as ffmpeg does, keeps what it was told and measures by a line of shell, which has the log's path in $log.</summary>
    private string Fake(string measure, string help = "", string filters = Filters)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "the stand-in is a shell script");
        var path = InFolder("ffmpeg.sh");
        File.WriteAllText(path, $$"""
            #!/bin/sh
            case "$*" in
            *-filters*) echo '{{filters}}'; exit ;;
            *' -h '*) echo '{{help}}'; exit ;;
            esac
            printf '%s\n' "$@" >'{{InFolder("told")}}'
            log=$(printf '%s\n' "$@" | sed -n 's/.*log_path=\([^:]*\).*/\1/p')
            {{measure}}
            """);
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return path;
    }
}
