using CmvcStream.Evaluate.Tests.Compare;

namespace CmvcStream.Evaluate.Tests;

public sealed class EvaluateCommandTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("cmvc-evaluate-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory]
    [InlineData("--rates 8,lots", "--rates: 'lots' is no rate: kbit/s from 0.5 to 1000")]
    [InlineData("--rates 8,8", "--rates: a rate is named twice")]
    [InlineData("--against vhs", "--against: 'vhs' is nobody to compare with; there are x264, x265, libaom, svtav1 (or none)")]
    [InlineData("--link moon", "--link: 'moon' is no preset")]
    [InlineData("--skip 40", "--skip 40 leaves nothing of 30 s to score")]
    [InlineData("--seconds 0", "--seconds: '0' is no whole number from 2 to 3600")]
    [InlineData("--mode hologram", "--mode: 'hologram' is no mode")]
    [InlineData("--rates 100", "the others are measured up to 64 kbit/s")]
    [InlineData("--others a.json --live 8", "--others has the others' encodings only")]
    [InlineData("--live-clips moon", "--live-clips: 'moon' is none of the clips: clip")]
    [InlineData("b/clip.mp4", "two clips are called clip: rename one")]
    public async Task Run_WrongUsage_SaysWhatAndEndsWithTwo(string arguments, string message)
    {
        var (code, error) = await RunAsync(["a/clip.mp4", "--report", _folder.FullName, .. arguments.Split(' ')]);

        Assert.Equal(2, code);
        Assert.Contains(message, error);
    }

    [Fact]
    public async Task Run_NoReport_IsWrongUsage() => Assert.Equal(2, (await RunAsync(["clip.mp4"])).Code);

    [Fact]
    public async Task Run_ClipThatIsMissing_EndsWithOne()
    {
        var (code, error) = await RunAsync(["none.mp4", "--report", _folder.FullName]);
        Assert.Equal((1, "evaluate: none.mp4: there is no such file\n"), (code, error));
    }

    [Fact]
    public async Task Run_BaselineThatIsNone_IsSaidBeforeAnythingIsMeasured()
    {
        var path = Path.Combine(_folder.FullName, "baseline.json");
        await File.WriteAllTextAsync(path, "{}");
        var (code, error) = await RunAsync(["none.mp4", "--report", _folder.FullName, "--baseline", path]);
        Assert.Equal(1, code);
        Assert.Contains("baseline.json cannot be read as an evaluation", error);
    }

    [Fact]
    public async Task Run_LpipsThatIsMissing_SaysSo()
    {
        var (code, error) = await RunAsync(["synthetic:street", "--report", _folder.FullName, "--lpips", "none.onnx"]);
        Assert.Equal(1, code);
        Assert.Contains("none.onnx cannot be read", error);
    }

    [Fact]
    public async Task Run_OthersMeasuredOtherwise_SaysHow()
    {
        var path = Path.Combine(_folder.FullName, "earlier.json");
        Samples.Of().Write(path);

        var (code, error) = await RunAsync(["synthetic:street", "--seconds", "3", "--skip", "1", "--report", _folder.FullName, "--others", path]);

        Assert.Equal(1, code);
        Assert.Contains("earlier.json was measured otherwise", error);
    }

    private static async Task<(int Code, string Error)> RunAsync(string[] arguments)
    {
        var (output, error) = (new StringWriter(), new StringWriter());
        return (await EvaluateCommand.RunAsync(arguments, output, error), error.ToString());
    }
}
