using System.Text.Json.Nodes;
using CmvcStream.TestKit;

namespace CmvcStream.Inference.Tests;

public sealed class ModelPackTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("cmvc-pack-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void Embedded_EveryModel_IsWholeAndRuns()
    {
        var pack = ModelPack.Embedded();

        Assert.NotEmpty(pack.Of(ModelRoles.Restore, ExecutionProvider.Cpu));
        Assert.NotEmpty(pack.Of(ModelRoles.Restore, ExecutionProvider.Cuda));
        Assert.All(pack.Models, entry =>
        {
            using var model = pack.Load(entry);
            using var binding = model.Bind(entry.Inputs.ToDictionary(i => i.Name, i => new long[] { 1, i.Shape[1], 8, 8 }));
            Assert.Equal([1, 24, 8, 8], binding.OutputShape("y"));
        });
    }

    [Fact]
    public void Embedded_RestoreInt8AndFp16_GiveNearlyTheSame()
    {
        var pack = ModelPack.Embedded();
        foreach (var name in pack.Of(ModelRoles.Restore, ExecutionProvider.Cpu).Select(e => e.Name))
        {
            var outputs = pack.Models.Where(m => m.Name == name).Select(entry =>
            {
                using var model = pack.Load(entry);
                using var binding = model.Bind(new Dictionary<string, long[]> { ["x"] = [1, entry.Inputs[0].Shape[1], 16, 24] });
                var x = binding.InputBytes("x");
                var planes = x.Length / (16 * 24);
                for (var i = 0; i < x.Length; i++)
                    x[i] = (byte)(i / (16 * 24) >= planes - 2 ? 130 : 128 + 60 * Math.Sin(i % 24 * .4 + i / 24 % 16 * .3));
                binding.Run();
                return binding.OutputBytes("y").ToArray();
            }).ToArray();

            var difference = outputs[0].Zip(outputs[1], (a, b) => Math.Abs(a - b)).Average();
            Assert.InRange(difference, 0, 3);
        }
    }

    [Fact]
    public void Open_Pack_OrdersARoleByCost()
    {
        var pack = ModelPack.Open(Pack().With("small", TestPack.Shift(0), cost: 1).With("large", TestPack.Shift(0), cost: 9)
            .With("gpu", TestPack.Shift(0), cost: 5, provider: "cuda").With("other", TestPack.Shift(0), role: "text-to-image").Write());

        Assert.Equal(["large", "small"], pack.Of(ModelRoles.Restore, ExecutionProvider.Cpu).Select(m => m.Name));
        Assert.Equal(["gpu"], pack.Of(ModelRoles.Restore, ExecutionProvider.Cuda).Select(m => m.Name));
    }

    [Fact]
    public void Load_DamagedFile_NamesItAndTheHashes()
    {
        var folder = Pack().With("a", TestPack.Shift(0)).Write();
        var file = Path.Combine(folder, "a.onnx");
        var bytes = File.ReadAllBytes(file);
        bytes[^1] ^= 1;
        File.WriteAllBytes(file, bytes);
        var pack = ModelPack.Open(folder);

        var error = Assert.Throws<ModelException>(() => pack.Load(pack.Models[0]));

        Assert.Contains("a.onnx is damaged or another file: its SHA-256 is ", error.Message);
    }

    [Fact]
    public void Load_OtherShapesThanTheManifestSays_NamesBoth()
    {
        var pack = ModelPack.Open(Pack().With("a", TestPack.Shift(0, planes: 30)).Write());

        var error = Assert.Throws<ModelException>(() => pack.Load(pack.Models[0]));

        Assert.Contains("does not fit: its inputs are x byte[1,30,?,?], the manifest says x uint8[1,26,?,?]", error.Message);
    }

    [Theory]
    [InlineData("file", "../a.onnx", "the file of 'a' must be a name in the pack's folder")]
    [InlineData("file", "a\0", "the file of 'a' must be a name in the pack's folder")]
    [InlineData("provider", "abacus", "'a' is for 'abacus', which is neither cpu nor cuda")]
    [InlineData("sha256", null, "'a' has no sha256")]
    [InlineData("role", null, "'a' has no role")]
    [InlineData("inputs", null, "'a' does not say its inputs and outputs")]
    public void Open_WrongEntry_SaysWhatIsWrong(string key, string? value, string message)
    {
        var folder = Pack().With("a", TestPack.Shift(0), change: e => e[key] = value is null ? null : JsonValue.Create(value)).Write();

        var error = Assert.Throws<ModelException>(() => ModelPack.Open(folder));

        Assert.Contains("manifest.json: " + message, error.Message);
    }

    [Fact]
    public void Open_SameNameTwice_IsRefused()
    {
        var folder = Pack().With("a", TestPack.Shift(0)).With("a", TestPack.Shift(0)).Write();
        Assert.Contains("has 'a' twice for cpu", Assert.Throws<ModelException>(() => ModelPack.Open(folder)).Message);
    }

    [Fact]
    public void Open_OtherVersion_SaysBoth()
    {
        var folder = Pack().With("a", TestPack.Shift(0)).Write(version: 7);
        Assert.Contains("is of version 7, this program reads 1", Assert.Throws<ModelException>(() => ModelPack.Open(folder)).Message);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData("{\"version\": 1}")]
    [InlineData("{\"version\": 1, \"models\": [null]}")]
    public void Open_NoManifest_SaysSo(string text)
    {
        File.WriteAllText(Path.Combine(_folder.FullName, "manifest.json"), text);
        Assert.Contains("manifest.json is no manifest of a model pack", Assert.Throws<ModelException>(() => ModelPack.Open(_folder.FullName)).Message);
    }

    [Fact]
    public void Open_NoSuchFolder_NamesIt()
    {
        var error = Assert.Throws<ModelException>(() => ModelPack.Open(Path.Combine(_folder.FullName, "none")));
        Assert.Contains("none lacks manifest.json", error.Message);
    }

    [Fact]
    public void Choose_CudaWhereThereIsNone_SaysWhyAndTakesTheCpu()
    {
        List<string> reports = [];

        var chosen = ExecutionProviders.Choose(ExecutionProvider.Cuda, reports.Add);

        Assert.SkipWhen(chosen == ExecutionProvider.Cuda, "there is CUDA here");
        Assert.Contains("networks run on the CPU", Assert.Single(reports));
        Assert.Equal(ExecutionProvider.Cpu, ExecutionProviders.Choose(null, _ => { }));
    }

    private TestPack Pack() => new(Path.Combine(_folder.FullName, "pack"));
}
