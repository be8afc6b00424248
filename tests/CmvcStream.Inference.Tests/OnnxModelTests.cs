using CmvcStream.TestKit;

namespace CmvcStream.Inference.Tests;

public sealed class OnnxModelTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("cmvc-onnx-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void Open_Model_SaysWhatGoesInAndOut()
    {
        using var model = OnnxModel.Open(Sum());

        Assert.Equal(["a single[2,?]", "b single[2,?]"], model.Inputs.Select(i => i.ToString()));
        Assert.Equal(["y single[2,?]"], model.Outputs.Select(o => o.ToString()));
    }

    [Fact]
    public void Run_BoundInputs_GivesWhatTheNetworkComputes()
    {
        using var model = OnnxModel.Open(Sum());
        using var binding = model.Bind(Shapes([2, 3], [2, 3]));
        for (var i = 0; i < 6; i++)
            (binding.Input("a")[i], binding.Input("b")[i]) = (i, 10 * i);

        binding.Run();

        Assert.Equal([0, 11, 22, 33, 44, 55], binding.Output("y").ToArray());
        Assert.Equal([2, 3], binding.OutputShape("y"));
        binding.Input("a").Clear();
        binding.Run();
        Assert.Equal([0, 10, 20, 30, 40, 50], binding.Output("y").ToArray());
    }

    [Fact]
    public void Run_ManyTimes_AllocatesNothing()
    {
        using var model = OnnxModel.Open(Sum());
        using var binding = model.Bind(Shapes([2, 1000], [2, 1000]));
        binding.Run();
        var before = GC.GetAllocatedBytesForCurrentThread();

        for (var i = 0; i < 100; i++)
            binding.Run();

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public async Task Run_SeveralBindingsAtOnce_DoNotDisturbEachOther()
    {
        using var model = OnnxModel.Open(Sum());
        await Parallel.ForAsync(1, 5, (n, _) =>
        {
            using var binding = model.Bind(Shapes([2, n], [2, n]));
            for (var i = 0; i < 200; i++)
            {
                binding.Input("a").Fill(i);
                binding.Input("b").Fill(n);
                binding.Run();
                Assert.All(binding.Output("y").ToArray(), v => Assert.Equal(i + n, v));
            }

            return default;
        });
    }

    [Fact]
    public void Open_MissingFile_SaysWhich()
    {
        var error = Assert.Throws<ModelException>(() => OnnxModel.Open(PathOf("none.onnx")));
        Assert.Contains("none.onnx cannot be read", error.Message);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(40)]
    public void Open_DamagedFile_SaysSo(int length)
    {
        var path = PathOf("damaged.onnx");
        File.WriteAllBytes(path, File.ReadAllBytes(Sum())[..length]);

        var error = Assert.Throws<ModelException>(() => OnnxModel.Open(path));

        Assert.Contains("damaged.onnx is no model that ONNX Runtime can run", error.Message);
    }

    [Fact]
    public void Bind_InputLeftOut_NamesIt()
    {
        using var model = OnnxModel.Open(Sum());
        var error = Assert.Throws<ModelException>(() => model.Bind(new Dictionary<string, long[]> { ["a"] = [2, 3] }));
        Assert.Contains("wants an input b single[2,?], which is not given", error.Message);
    }

    [Fact]
    public void Bind_InputThatTheModelLacks_NamesThoseItHas()
    {
        using var model = OnnxModel.Open(Sum());
        var error = Assert.Throws<ModelException>(() => model.Bind(new Dictionary<string, long[]>(Shapes([2, 3], [2, 3])) { ["c"] = [1] }));
        Assert.Contains("has no input 'c'; it has a single[2,?], b single[2,?]", error.Message);
    }

    [Theory]
    [InlineData(3, 4)]
    [InlineData(2, 0)]
    [InlineData(2, -1)]
    public void Bind_OtherDimensions_SaysWhatIsTaken(long rows, long columns)
    {
        using var model = OnnxModel.Open(Sum());
        var error = Assert.Throws<ModelException>(() => model.Bind(Shapes([rows, columns], [2, 4])));
        Assert.Contains($"the input a single[2,?] does not take [{rows},{columns}]", error.Message);
    }

    [Fact]
    public void Bind_DimensionsThatDoNotGoTogether_SaysThatTheModelFails()
    {
        using var model = OnnxModel.Open(Sum());
        var error = Assert.Throws<ModelException>(() => model.Bind(Shapes([2, 3], [2, 4])));
        Assert.Contains("fails with inputs of a [2,3], b [2,4]", error.Message);
    }

    [Fact]
    public void Bind_InputOfWholeNumbers_IsRefused()
    {
        var path = new OnnxFile().IntegerInput("n", 2).Output("y", 2).Weights("w", [2], 1, 2).Node("Identity", ["w"], "y").WriteTo(PathOf("integers.onnx"));
        using var model = OnnxModel.Open(path);

        var error = Assert.Throws<ModelException>(() => model.Bind(new Dictionary<string, long[]> { ["n"] = [2] }));

        Assert.Contains("the input n int64[2] is neither of floats nor of bytes", error.Message);
    }

    [Fact]
    public void Output_UnknownName_NamesThoseThereAre()
    {
        using var model = OnnxModel.Open(Sum());
        using var binding = model.Bind(Shapes([2, 3], [2, 3]));
        Assert.Contains("it has y", Assert.Throws<ModelException>(() => binding.Output("z")).Message);
    }

    private static Dictionary<string, long[]> Shapes(long[] a, long[] b) => new() { ["a"] = a, ["b"] = b };

    private string Sum() => new OnnxFile().Input("a", 2, -1).Input("b", 2, -1).Output("y", 2, -1).Node("Add", ["a", "b"], "y").WriteTo(PathOf("sum.onnx"));

    private string PathOf(string name) => Path.Combine(_folder.FullName, name);
}
