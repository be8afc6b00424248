using System.Text.Json;
using CmvcStream.Evaluate.Measure;
using CmvcStream.Evaluate.Media;
using CmvcStream.Evaluate.Metrics;
using CmvcStream.Inference;
using CmvcStream.TestKit;

namespace CmvcStream.Evaluate.Tests.Metrics;

public sealed class LpipsNetworkTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("cmvc-lpips-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void Distance_NetworkOfMeanDifference_SeesNormalisedPictures()
    {
        // y = mean(ref - dist): a picture whose red is higher by one deviation of red gives a third.
        var path = new OnnxFile().Input("ref", 1, 3, -1, -1).Input("dist", 1, 3, -1, -1).Output("y", 1, 1, 1, 1)
            .Node("Sub", ["ref", "dist"], "d").Node("GlobalAveragePool", ["d"], "m").Weights("w", [1, 3, 1, 1], 1f / 3, 1f / 3, 1f / 3).Node("Conv", ["m", "w"], "y")
            .WriteTo(PathOf("mean.onnx"));
        using var network = new LpipsNetwork(path, new(4, 2));
        byte[] source = [.. Enumerable.Repeat(new byte[] { 200, 100, 50 }, 8).SelectMany(p => p)], result = [.. Enumerable.Repeat(new byte[] { 142, 100, 50 }, 8).SelectMany(p => p)];

        Assert.Equal(0, network.Distance(source, source));
        Assert.Equal(58 / 255.0 / 0.229 / 3, network.Distance(source, result), 1e-5);
    }

    [Fact]
    public void Open_NetworkOfOtherInputs_SaysWhatIsWanted()
    {
        var path = new OnnxFile().Input("x", 1, 3, -1, -1).Output("y", 1, 3, -1, -1).Node("Relu", ["x"], "y").WriteTo(PathOf("other.onnx"));
        var error = Assert.Throws<ModelException>(() => new LpipsNetwork(path, new(16, 16)));
        Assert.Contains("other.onnx is no LPIPS: wanted are inputs ref and dist [1,3,H,W] and one output; it has x single[1,3,?,?]", error.Message);
    }

    [Fact]
    public void Open_NetworkThatGivesAPicture_IsRefused()
    {
        var path = new OnnxFile().Input("ref", 1, 3, -1, -1).Input("dist", 1, 3, -1, -1).Output("y", 1, 3, -1, -1).Node("Sub", ["ref", "dist"], "y").WriteTo(PathOf("map.onnx"));
        var error = Assert.Throws<ModelException>(() => new LpipsNetwork(path, new(16, 16)));
        Assert.Contains("gives 768 numbers for two pictures instead of one", error.Message);
    }

    /// <summary>The independent scorer runs the same network with PyTorch and reads the same files with its own ffmpeg call.</summary>
    [Fact]
    public async Task Score_RealNetwork_AgreesWithTheIndependentScorer()
    {
        const string Python = "/usr/bin/python3"; // Debian's: the modules belong to it
        if (SharedFolder.Find("eval") is not { } eval)
        {
            Assert.Skip("no shared scorer: set CMVC_SHARED to the folder that holds eval/score.py");
            return;
        }

        Assert.SkipUnless(await Succeeds(Python, "-c", "import torch, onnx, cv2"), "python3-torch, python3-onnx and python3-opencv are not here");
        var (source, result) = (PathOf("source.mp4"), PathOf("result.mp4"));
        await ChildProcess.RunAsync("ffmpeg", ["-v", "error", "-f", "lavfi", "-i", "testsrc2=s=320x180:r=15:d=3", "-c:v", "libx264", "-crf", "10", "-pix_fmt", "yuv420p", source]);
        await ChildProcess.RunAsync("ffmpeg", ["-v", "error", "-i", source, "-c:v", "libx264", "-crf", "40", "-pix_fmt", "yuv420p", result]);
        using var theirs = JsonDocument.Parse(await ChildProcess.RunAsync(Python,
            [Path.Combine(eval, "score.py"), source, result, "--size", "320x180", "--fps", "15", "--shift-max", "0", "--skip", "1", "--every", "5", "--json"]));
        double Their(string name) => theirs.RootElement.GetProperty(name).GetDouble();

        var reference = await Reference.ReadAsync(new("source", source, new(320, 180)), new(15, 3, 1, 5), default);
        using var scorer = new Scorer(reference, Path.Combine(eval, "lpips_sq.onnx"), null);
        var ours = await scorer.ScoreAsync(result, 15, null, default);

        Assert.InRange(ours.Lpips!.Value / Their("lpips"), .99, 1.01);
        Assert.InRange(Math.Abs(ours.Tlp!.Value - Their("tlp")), 0, .0002);
        Assert.InRange(ours.Ssim / Their("ssim"), .98, 1.02); // it counts a reflected border as well
    }

    private static async Task<bool> Succeeds(string program, params string[] arguments)
    {
        try
        {
            await ChildProcess.RunAsync(program, arguments);
            return true;
        }
        catch (EvaluateException)
        {
            return false;
        }
    }

    private string PathOf(string name) => Path.Combine(_folder.FullName, name);
}
