using System.Text;
using System.Text.Json.Nodes;
using CmvcStream.Inference.Adapters;

namespace CmvcStream.Inference.Tests;

public sealed class LoraAdapterTests : IDisposable
{
    private const int Width = 24, Height = 16;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("cmvc-adapter-");
    private readonly ModelPack _pack = ModelPack.Embedded();
    private readonly ModelEntry _base;

    // Of the first and the last convolution of the built-in network: out, in x height x width.
    private readonly (string Layer, int Out, int In)[] _layers;

    public LoraAdapterTests()
    {
        _base = _pack.Of(ModelRoles.Restore, ExecutionProvider.Cpu)[0];
        var constants = Convolutions(_base);
        _layers = [constants[0], constants[^1]];
    }

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void Load_AdapterOfZeros_ChangesNothing()
    {
        var adapter = LoraAdapter.Open(Write(scale: 0));
        Assert.All(_pack.Models.Where(m => m.Name == _base.Name), entry => Assert.Equal(Run(entry, null), Run(entry, adapter)));
    }

    [Fact]
    public void Load_Adapter_AddsTheSameToInt8AndFp16()
    {
        var adapter = LoraAdapter.Open(Write(scale: 1));
        double[][] changes = [.. _pack.Models.Where(m => m.Name == _base.Name).Select(entry => Run(entry, null).Zip(Run(entry, adapter), (a, b) => (double)b - a).ToArray())];

        Assert.Equal(("porch", _base.Name), (adapter.Name, adapter.Base));
        Assert.Equal(2, changes.Length);
        var size = changes[0].Average(Math.Abs);
        Assert.True(size > 0.5, $"the adapter changes pixels by {size:0.00}");
        Assert.InRange(changes[0].Zip(changes[1], (a, b) => Math.Abs(a - b)).Average(), 0, 0.4 * size);
    }

    [Fact]
    public void Load_AdapterOfAnotherBase_SaysSo()
    {
        var adapter = LoraAdapter.Open(Write(change: m => m["base_sha256"] = new string('0', 64)));
        Assert.Contains($"it was fitted to another {_base.Name} than that of this pack", Assert.Throws<ModelException>(() => _pack.Load(_base, adapter: adapter)).Message);
        adapter = LoraAdapter.Open(Write(change: m => m["base"] = "other"));
        Assert.Contains($"it is for other, not for {_base.Name}", Assert.Throws<ModelException>(() => _pack.Load(_base, adapter: adapter)).Message);
    }

    [Fact]
    public void Load_OtherShape_NamesBoth()
    {
        var adapter = LoraAdapter.Open(Write(wider: 9));
        var (layer, outputs, inputs) = _layers[0];
        var message = Assert.Throws<ModelException>(() => _pack.Load(_base, adapter: adapter)).Message;
        Assert.Contains($"layer {layer} of {_base.Name} has [{outputs},{inputs / 9},3,3], lora_B and lora_A have [{outputs},2] and [2,{inputs + 9}]", message);
    }

    [Theory]
    [InlineData("format", "cmvc-adapter-9", "its format is cmvc-adapter-9, this program reads cmvc-adapter-1")]
    [InlineData("name", null, "it does not say its name")]
    [InlineData("name", "a/b", "its name has other characters")]
    [InlineData("base", "", "it does not say its base")]
    public void Open_WrongWord_SaysWhich(string key, string? value, string message) =>
        Assert.Contains(message, Assert.Throws<ModelException>(() => LoraAdapter.Open(Write(change: m => m[key] = value))).Message);

    [Fact]
    public void Open_NoPair_SaysOfWhichLayer()
    {
        var file = Write(without: _layers[1].Layer + ".lora_B");
        Assert.Contains($"lora_A and lora_B of {_layers[1].Layer} are no pair", Assert.Throws<ModelException>(() => LoraAdapter.Open(file)).Message);
    }

    [Fact]
    public void Open_NoNumbers_IsRefused() =>
        Assert.Contains("has values that are no numbers", Assert.Throws<ModelException>(() => LoraAdapter.Open(Write(scale: float.NaN))).Message);

    [Fact]
    public void Open_DamagedFile_IsRefusedWhereverItIs()
    {
        var whole = File.ReadAllBytes(Write());
        var header = 8 + (int)BitConverter.ToUInt64(whole);
        var file = Path.Combine(_folder.FullName, "damaged.safetensors");
        foreach (var length in new[] { 0, 7, 8, 9, header / 2, header, whole.Length - 1 })
        {
            File.WriteAllBytes(file, whole[..length]);
            Assert.Contains("is no adapter", Assert.Throws<ModelException>(() => LoraAdapter.Open(file)).Message);
        }

        var random = new Random(5);
        for (var i = 0; i < 300; i++)
        {
            var bytes = (byte[])whole.Clone();
            bytes[random.Next(header)] = (byte)random.Next(256);
            File.WriteAllBytes(file, bytes);
            try
            {
                _ = LoraAdapter.Open(file);
            }
            catch (ModelException) { }
        }
    }

    [Fact]
    public void Open_NoSuchFile_NamesIt()
    {
        Assert.Contains($"the adapter {Path.Combine("adapters", "porch.safetensors")} cannot be read", Assert.Throws<ModelException>(() => LoraAdapter.Open("porch")).Message);
    }

    private byte[] Run(ModelEntry entry, LoraAdapter? adapter)
    {
        using var model = _pack.Load(entry, adapter: adapter);
        using var binding = model.Bind(new Dictionary<string, long[]> { ["x"] = [1, entry.Inputs[0].Shape[1], Height, Width] });
        var x = binding.InputBytes("x");
        for (var i = 0; i < x.Length; i++)
            x[i] = (byte)(128 + 60 * Math.Sin(i % Width * .4 + i / Width % Height * .3 + i / (Width * Height)));
        binding.Run();
        return binding.OutputBytes("y").ToArray();
    }

    /// <summary>Layers with their dimensions, out of the ONNX file.</summary>
    private static (string Layer, int Out, int In)[] Convolutions(ModelEntry entry)
    {
        using var stream = typeof(ModelPack).Assembly.GetManifestResourceStream("models/" + entry.File)!;
        return [.. OnnxWeights.Parser.ParseFrom(stream).Graph.Initializer.Where(c => c.Name.EndsWith("_w", StringComparison.Ordinal))
            .Select(c => (c.Name[..^2], (int)c.Dims[0], (int)c.Dims.Skip(1).Aggregate((a, b) => a * b)))];
    }

    private string Write(float scale = 0.05f, int wider = 0, string? without = null, Action<JsonObject>? change = null)
    {
        var random = new Random(3);
        var metadata = new JsonObject
        {
            ["format"] = "cmvc-adapter-1",
            ["name"] = "porch",
            ["base"] = _base.Name,
            ["base_sha256"] = string.Join(',', _pack.Models.Where(m => m.Name == _base.Name).Select(m => m.Sha256)),
        };
        change?.Invoke(metadata);
        foreach (var key in metadata.Where(p => p.Value is null).Select(p => p.Key).ToArray())
            metadata.Remove(key);
        var header = new JsonObject { ["__metadata__"] = metadata };
        using var body = new MemoryStream();
        foreach (var (layer, outputs, inputs) in _layers)
        {
            Add(layer + ".lora_A", 2, inputs + wider, 0.3f);
            Add(layer + ".lora_B", outputs, 2, scale);
        }

        var text = Encoding.UTF8.GetBytes(header.ToJsonString());
        var file = Path.Combine(_folder.FullName, "porch.safetensors");
        File.WriteAllBytes(file, [.. BitConverter.GetBytes((ulong)text.Length), .. text, .. body.ToArray()]);
        return file;

        void Add(string name, int rows, int columns, float size)
        {
            if (name == without)
                return;
            var from = body.Length;
            for (var i = 0; i < rows * columns; i++)
                body.Write(BitConverter.GetBytes((Half)((random.NextSingle() - 0.5f) * size)));
            header[name] = new JsonObject { ["dtype"] = "F16", ["shape"] = new JsonArray(rows, columns), ["data_offsets"] = new JsonArray(from, body.Length) };
        }
    }
}
