using System.Security.Cryptography;
using System.Text.Json.Nodes;

namespace CmvcStream.TestKit;

/// <summary>Writes model packs for tests.</summary>
public sealed class TestPack(string folder)
{
    private readonly JsonArray _models = [];

    public string Folder => folder;

    /// <summary>
    /// A network that takes a packed picture and 2 planes more, and gives planes <paramref name="first"/> to <paramref name="first"/> + 24: with
    /// 0 the picture as it is, with 1 one whose planes have moved by one.
    /// </summary>
    public static byte[] Shift(int first, int planes = 26) => new OnnxFile().ByteInput("x", 1, planes, -1, -1).ByteOutput("y", 1, 24, -1, -1)
        .Integers("from", first).Integers("to", first + 24).Integers("axis", 1).Node("Slice", ["x", "from", "to", "axis"], "y").ToBytes();

    /// <summary>Adds a network; <paramref name="change"/> may spoil what the manifest says of it.</summary>
    public TestPack With(string name, byte[] model, int planes = 26, double cost = 1, string role = "restore", string provider = "cpu", Action<JsonObject>? change = null)
    {
        var entry = new JsonObject
        {
            ["name"] = name,
            ["role"] = role,
            ["provider"] = provider,
            ["file"] = name + ".onnx",
            ["sha256"] = Convert.ToHexStringLower(SHA256.HashData(model)),
            ["inputs"] = new JsonArray(Port("x", planes)),
            ["outputs"] = new JsonArray(Port("y", 24)),
            ["cost"] = cost,
            ["card"] = name + ".md",
            ["licence"] = "MIT",
        };
        change?.Invoke(entry);
        _models.Add(entry);
        Directory.CreateDirectory(folder);
        File.WriteAllBytes(Path.Combine(folder, name + ".onnx"), model);
        return this;
    }

    /// <summary>Writes the manifest.</summary>
    public string Write(int version = 1)
    {
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "manifest.json"), new JsonObject { ["version"] = version, ["name"] = "test", ["models"] = _models.DeepClone() }.ToJsonString());
        return folder;
    }

    private static JsonObject Port(string name, int planes) => new() { ["name"] = name, ["type"] = "uint8", ["shape"] = new JsonArray(1, planes, -1, -1) };
}
