using System.Text.Json;
using CmvcStream.TestKit;
using Xunit;

namespace EndToEnd.Tests.Session;

public sealed class NetworksTests : IDisposable
{
    private readonly Programs _programs = new();

    [Fact]
    public async Task Receive_WithANetwork_SaysWhichAndHowLongItTakes()
    {
        var statistics = _programs.PathOf("rx.json");
        var (receiver, url) = await _programs.ReceiverAsync("--out", "null:", "--once", "--network", "restore-medium", "--provider", "cpu", "--stats", statistics);

        await SendAsync(url, receiver);

        Assert.Contains("regenerates with restore-medium on the CPU", receiver.Errors);
        using var rx = JsonDocument.Parse(await File.ReadAllTextAsync(statistics));
        Assert.InRange(rx.RootElement.GetProperty("stages_ms").GetProperty("restore").GetProperty("p50").GetDouble(), 0.1, 5000);
    }

    [Fact]
    public async Task Receive_DamagedModel_SaysSoAndGoesOnClassically()
    {
        var pack = new TestPack(_programs.PathOf("pack")).With("broken", TestPack.Shift(0)).Write();
        await File.AppendAllTextAsync(Path.Combine(pack, "broken.onnx"), "x");
        var video = _programs.PathOf("out.y4m");
        var (receiver, url) = await _programs.ReceiverAsync("--out", "y4m:" + video, "--once", "--models", pack);

        await SendAsync(url, receiver);

        Assert.Contains("broken cannot be used to restore: ", receiver.Errors);
        Assert.Contains("broken.onnx is damaged or another file", receiver.Errors);
        var shown = (await File.ReadAllLinesAsync(video + ".frames.tsv")).Skip(1).Select(l => l.Split('\t')[3]).ToHashSet();
        Assert.Contains("transmitted", shown);
        Assert.DoesNotContain("restored", shown);
    }

    [Fact]
    public async Task Receive_CudaWhereThereIsNone_SaysWhyAndUsesTheCpu()
    {
        var (receiver, url) = await _programs.ReceiverAsync("--out", "null:", "--once", "--network", "restore-medium", "--provider", "cuda");

        await SendAsync(url, receiver);

        Assert.SkipWhen(receiver.Errors.Contains("on CUDA", StringComparison.Ordinal), "there is CUDA here");
        Assert.Contains("networks run on the CPU", receiver.Errors);
        Assert.Contains("regenerates with restore-medium on the CPU", receiver.Errors);
    }

    [Fact]
    public async Task Receive_UnknownNetwork_IsWrongUsage()
    {
        var receiver = _programs.Start("cmvc-receive", "--listen", "http://127.0.0.1:0", "--network", "marvel");

        Assert.Equal(2, await receiver.ExitAsync());
        Assert.Contains("has no 'marvel'; it has restore-", receiver.Errors);
    }

    [Theory]
    [InlineData("list", "restore-medium")]
    [InlineData("verify", "ok      restore-medium for cpu")]
    [InlineData("run", "CPU, one thread  median")]
    public async Task Models_Command_TellsOfTheBuiltInPack(string command, string line)
    {
        var models = _programs.Start("cmvc-receive", ["models", command, .. command == "run" ? ["--size", "160x90"] : Array.Empty<string>()]);

        Assert.Equal(0, await models.ExitAsync());
        await models.OutputLineAsync(command == "run" ? "restore-medium" : line);
        Assert.Empty(models.Errors);
    }

    [Fact]
    public async Task ModelsVerify_DamagedModel_FailsAndNamesIt()
    {
        var pack = new TestPack(_programs.PathOf("pack")).With("whole", TestPack.Shift(0)).With("broken", TestPack.Shift(0)).Write();
        await File.AppendAllTextAsync(Path.Combine(pack, "broken.onnx"), "x");

        var models = _programs.Start("cmvc-receive", "models", "verify", "--models", pack);

        Assert.Equal(1, await models.ExitAsync());
        await models.OutputLineAsync("ok      whole");
        Assert.Contains("broken.onnx is damaged", models.Errors);
    }

    [Theory]
    [InlineData("models: Required command was not provided.")]
    [InlineData("models: Unrecognized command or argument 'fly'.", "fly")]
    [InlineData("models: --size: 'large' is no picture size", "run", "--size", "large")]
    public async Task Models_WrongUse_SaysWhatIsWrong(string message, params string[] arguments)
    {
        var models = _programs.Start("cmvc-receive", ["models", .. arguments]);

        Assert.Equal(2, await models.ExitAsync());
        Assert.Contains(message, models.Errors);
    }

    public void Dispose() => _programs.Dispose();

    private async Task SendAsync(string url, Running receiver)
    {
        var sender = _programs.Start("cmvc-send", "--source", "synthetic:street", "--to", url, "--max-rate", "20kbps", "--for", "4s");
        Assert.Equal(0, await sender.ExitAsync());
        Assert.Equal(0, await receiver.ExitAsync());
    }
}
