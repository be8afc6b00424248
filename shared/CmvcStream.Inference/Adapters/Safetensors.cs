using System.Buffers.Binary;
using System.Text.Json;

namespace CmvcStream.Inference.Adapters;

/// <summary>
/// Tensors and words in one file, as safetensors has them: the length of a header (8 bytes, little endian), the header (JSON: each tensor's
/// element type, shape and place in what follows, and words under "__metadata__"), the tensors.
/// </summary>
/// <remarks>Format: https://huggingface.co/docs/safetensors, read here for float16 and float32.</remarks>
internal sealed class Safetensors
{
    /// <summary>Nothing that this program reads is larger.</summary>
    private const long LargestFile = 64 << 20;

    private const string MetadataKey = "__metadata__";

    private readonly Dictionary<string, (int[] Shape, float[] Values)> _tensors = [];

    private Safetensors(ReadOnlySpan<byte> file)
    {
        if (file.Length < 8 || BinaryPrimitives.ReadUInt64LittleEndian(file) is var length && length > (ulong)(file.Length - 8))
            throw new FormatException("its header is longer than the file");
        var body = file[(8 + (int)length)..];
        using var header = JsonDocument.Parse(file.Slice(8, (int)length).ToArray());
        foreach (var entry in header.RootElement.EnumerateObject())
        {
            if (entry.Name == MetadataKey)
                Metadata = entry.Value.EnumerateObject().ToDictionary(p => p.Name, p => p.Value.GetString() ?? "");
            else
                _tensors[entry.Name] = Tensor(entry, body);
        }
    }

    public IReadOnlyDictionary<string, string> Metadata { get; } = new Dictionary<string, string>();

    /// <summary>Names of all tensors.</summary>
    public IEnumerable<string> Names => _tensors.Keys;

    /// <summary>A tensor, row-major.</summary>
    public (int[] Shape, float[] Values) this[string name] => _tensors[name];

    /// <summary>Reads a file.</summary>
    /// <exception cref="ModelException">It is missing, too large, damaged, or holds other numbers than floats.</exception>
    public static Safetensors Read(string file)
    {
        try
        {
            var info = new FileInfo(file);
            if (info.Length > LargestFile)
                throw new FormatException($"it has {info.Length} bytes, more than {LargestFile}");
            return new(File.ReadAllBytes(file));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException or ArgumentException)
        {
            throw new ModelException($"the adapter {file} cannot be read: {e.Message}", e);
        }
        catch (Exception e) when (e is FormatException or JsonException or InvalidOperationException or OverflowException)
        {
            throw new ModelException($"{file} is no adapter: {e.Message}; is the file whole, and made by tools/training/adapt.py?", e);
        }
    }

    private static (int[] Shape, float[] Values) Tensor(JsonProperty entry, ReadOnlySpan<byte> body)
    {
        if (entry.Value.ValueKind != JsonValueKind.Object || !entry.Value.TryGetProperty("dtype", out var type) || !entry.Value.TryGetProperty("shape", out var dims)
            || !entry.Value.TryGetProperty("data_offsets", out var offsets) || offsets.GetArrayLength() != 2)
            throw new FormatException($"the tensor {entry.Name} has no dtype, shape or data_offsets");
        int[] shape = [.. dims.EnumerateArray().Select(d => d.GetInt32())];
        var (from, to) = (offsets[0].GetInt32(), offsets[1].GetInt32());
        var size = type.GetString() switch { "F32" => 4, "F16" => 2, var other => throw new FormatException($"the tensor {entry.Name} is of {other}, F16 and F32 are read") };
        if (shape.Any(d => d < 0) || from < 0 || to < from || to > body.Length || shape.Aggregate((long)size, (n, d) => checked(n * d)) != to - from)
            throw new FormatException($"the tensor {entry.Name} of [{string.Join(',', shape)}] does not take bytes {from} to {to} of {body.Length}");
        var values = new float[(to - from) / size];
        for (var i = 0; i < values.Length; i++)
        {
            var at = body[(from + i * size)..];
            values[i] = size == 4 ? BinaryPrimitives.ReadSingleLittleEndian(at) : (float)BinaryPrimitives.ReadHalfLittleEndian(at);
        }

        return (shape, values);
    }
}
