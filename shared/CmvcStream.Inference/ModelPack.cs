using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using CmvcStream.Inference.Adapters;

namespace CmvcStream.Inference;

/// <summary>An input or output that a network has, as the manifest says it.</summary>
/// <param name="Name">As in the .onnx file.</param>
/// <param name="Type">uint8 or float.</param>
/// <param name="Shape">Dimensions; -1 is one that is free.</param>
public sealed record ModelPort(string Name, string Type, IReadOnlyList<int> Shape)
{
    public override string ToString() => $"{Name} {Type}[{string.Join(',', Shape).Replace("-1", "?", StringComparison.Ordinal)}]";

    internal bool Is(TensorPort port) =>
        Name == port.Name && Type == (port.ElementType == typeof(byte) ? "uint8" : port.ElementType == typeof(float) ? "float" : "?") && Shape.SequenceEqual(port.Shape);
}

/// <summary>A network of a pack.</summary>
/// <param name="Name">By which --network asks for it; unique in the pack for a provider.</param>
/// <param name="Role">What it does: <see cref="ModelRoles"/>.</param>
/// <param name="Provider">What it is made for: cpu (int8) or cuda (fp16).</param>
/// <param name="File">The .onnx file, in the pack's folder.</param>
/// <param name="Sha256">Of the file, in hexadecimal.</param>
/// <param name="Inputs">What goes in.</param>
/// <param name="Outputs">What comes out.</param>
/// <param name="Cost">Multiplications for a pixel of the picture: orders the networks of a role.</param>
/// <param name="Card">The file that says what it was trained on, and how well it does.</param>
/// <param name="Licence">SPDX identifier.</param>
public sealed record ModelEntry(
    string Name, string Role, string Provider, string File, string Sha256, IReadOnlyList<ModelPort> Inputs, IReadOnlyList<ModelPort> Outputs, double Cost, string Card, string Licence)
{
    internal ExecutionProvider? Runs => Provider switch { "cpu" => ExecutionProvider.Cpu, "cuda" => ExecutionProvider.Cuda, _ => null };
}

/// <summary>What a network of a pack does.</summary>
public static class ModelRoles
{
    /// <summary>A decoded keyframe to one nearer to the truth.</summary>
    public const string Restore = "restore";

    /// <summary>The picture between two keyframes from what motion makes of them.</summary>
    public const string Interpolate = "interpolate";

    /// <summary>All that this version knows; networks of others are left alone.</summary>
    public static IReadOnlyList<string> Known { get; } = [Restore, Interpolate];
}

/// <summary>
/// Networks that belong together: a folder with a manifest.json, or the one that travels in this program. Each file is checked against its
/// hash, and its inputs and outputs against the manifest, before it runs.
/// </summary>
public sealed class ModelPack
{
    private const string ManifestFile = "manifest.json";
    private const string Resource = "models/";

    private readonly Func<string, byte[]> _read;

    private ModelPack(string place, Func<string, byte[]> read)
    {
        (Place, _read) = (place, read);
        ModelManifest? manifest;
        try
        {
            manifest = JsonSerializer.Deserialize(read(ManifestFile), ManifestJson.Default.ModelManifest);
        }
        catch (JsonException e)
        {
            throw new ModelException($"{Of(ManifestFile)} is no manifest of a model pack: {e.Message}", e);
        }

        if (manifest is null || manifest.Models is null || manifest.Models.Any(m => m is null))
            throw new ModelException($"{Of(ManifestFile)} is no manifest of a model pack: it has no list of models");
        if (manifest.Version != 1)
            throw new ModelException($"{Of(ManifestFile)} is of version {manifest.Version}, this program reads 1: another pack is needed, or another version of this program");
        Name = manifest.Name ?? "unnamed";
        Models = [.. manifest.Models.Select(Checked)];
        if (Models.GroupBy(m => (m.Name, m.Provider)).FirstOrDefault(g => g.Count() > 1) is { } twice)
            throw new ModelException($"{Of(ManifestFile)} has '{twice.Key.Name}' twice for {twice.Key.Provider}");
    }

    /// <summary>A folder, or "the built-in model pack".</summary>
    public string Place { get; }

    public string Name { get; }

    public IReadOnlyList<ModelEntry> Models { get; }

    /// <summary>The pack that travels in this program.</summary>
    public static ModelPack Embedded() => new("the built-in model pack", name =>
    {
        using var stream = typeof(ModelPack).Assembly.GetManifestResourceStream(Resource + name)
            ?? throw new ModelException($"the built-in model pack lacks {name}: a new build ('./cmvc setup') mends it");
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return bytes;
    });

    /// <summary>A pack in a folder.</summary>
    /// <exception cref="ModelException">There is none, or its manifest is damaged, of another version, or names what this program cannot use.</exception>
    public static ModelPack Open(string folder)
    {
        ArgumentNullException.ThrowIfNull(folder);
        return new(folder, name =>
        {
            try
            {
                return System.IO.File.ReadAllBytes(Path.Combine(folder, name));
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
            {
                throw new ModelException($"the model pack {folder} lacks {name}, or it cannot be read: {e.Message}", e);
            }
        });
    }

    /// <summary>The networks of a role for a provider, the most costly first.</summary>
    public IReadOnlyList<ModelEntry> Of(string role, ExecutionProvider provider) =>
        [.. Models.Where(m => m.Role == role && m.Runs == provider).OrderByDescending(m => m.Cost)];

    /// <summary>Reads a network, checks that it is what the manifest says, and prepares it for the machine.</summary>
    /// <param name="entry">One of <see cref="Models"/>.</param>
    /// <param name="provider">What runs it.</param>
    /// <param name="threads">Threads of one run.</param>
    /// <param name="adapter">What makes it fit a camera; null: nothing.</param>
    /// <exception cref="ModelException">The file is missing, damaged or another, or does not run here; or the adapter does not fit it.</exception>
    public OnnxModel Load(ModelEntry entry, ExecutionProvider provider = ExecutionProvider.Cpu, int threads = 1, LoraAdapter? adapter = null)
    {
        ArgumentNullException.ThrowIfNull(entry);
        var bytes = Read(entry);
        if (adapter is not null)
            bytes = adapter.Merge(entry, bytes);
        var model = OnnxModel.Open(bytes, Of(entry.File), threads, provider);
        try
        {
            Compare(entry, "inputs", entry.Inputs, model.Inputs);
            Compare(entry, "outputs", entry.Outputs, model.Outputs);
            return model;
        }
        catch (ModelException)
        {
            model.Dispose();
            throw;
        }
    }

    /// <summary>Checks that an adapter fits a network.</summary>
    /// <exception cref="ModelException">It does not, or the network's file is missing or damaged.</exception>
    public void Check(ModelEntry entry, LoraAdapter adapter)
    {
        ArgumentNullException.ThrowIfNull(entry);
        ArgumentNullException.ThrowIfNull(adapter);
        adapter.Merge(entry, Read(entry));
    }

    private byte[] Read(ModelEntry entry)
    {
        var bytes = _read(entry.File);
        var hash = Convert.ToHexStringLower(SHA256.HashData(bytes));
        if (!hash.Equals(entry.Sha256, StringComparison.OrdinalIgnoreCase))
            throw new ModelException($"{Of(entry.File)} is damaged or another file: its SHA-256 is {hash}, the manifest says {entry.Sha256}; fetch the pack again");
        return bytes;
    }

    private void Compare(ModelEntry entry, string what, IReadOnlyList<ModelPort> said, IReadOnlyList<TensorPort> found)
    {
        if (said.Count != found.Count || said.Any(s => !found.Any(s.Is)))
            throw new ModelException($"{Of(entry.File)} does not fit: its {what} are {string.Join(", ", found)}, the manifest says {string.Join(", ", said)}");
    }

    private ModelEntry Checked(ModelEntry entry)
    {
        var what = entry.Name is null ? "a model has no name" : entry.Role is null ? $"'{entry.Name}' has no role" : entry.Sha256 is null ? $"'{entry.Name}' has no sha256"
            : entry.Inputs is null || entry.Outputs is null || entry.Inputs.Concat(entry.Outputs).Any(p => p?.Name is null || p.Type is null || p.Shape is null) ? $"'{entry.Name}' does not say its inputs and outputs"
            : entry.Runs is null ? $"'{entry.Name}' is for '{entry.Provider}', which is neither cpu nor cuda"
            : entry.File is null || entry.File.Length == 0 || entry.File != Path.GetFileName(entry.File) || entry.File.Any(char.IsControl) ? $"the file of '{entry.Name}' must be a name in the pack's folder" : null;
        return what is null ? entry : throw new ModelException($"{Of(ManifestFile)}: {what}");
    }

    private string Of(string file) => Place + (System.IO.File.Exists(Path.Combine(Place, ManifestFile)) ? "/" : ": ") + file;
}

internal sealed record ModelManifest(int Version, string? Name, IReadOnlyList<ModelEntry> Models);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(ModelManifest))]
internal sealed partial class ManifestJson : JsonSerializerContext;
