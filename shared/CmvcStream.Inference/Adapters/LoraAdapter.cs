using System.Runtime.InteropServices;
using Google.Protobuf;

namespace CmvcStream.Inference.Adapters;

/// <summary>
/// What makes a network of a pack fit one camera: to the weights of each convolution, out x (in x height x width), the product of two thin
/// matrices is added, out x rank and rank x (in x height x width) (Hu et al., "LoRA: Low-Rank Adaptation of Large Language Models", ICLR 2022).
/// It is added before the network is opened, so that a run takes no longer than without.
/// </summary>
public sealed class LoraAdapter
{
    private const string Format = "cmvc-adapter-1";
    private const string A = ".lora_A", B = ".lora_B";

    // TensorProto.DataType of ONNX.
    private const int Float = 1, Int8 = 3, Int32 = 6, Float16 = 10;

    private readonly Safetensors _file;
    private readonly string _path;
    private readonly string[] _layers, _bases;

    private LoraAdapter(string path, Safetensors file)
    {
        (_path, _file) = (path, file);
        string Word(string key) => file.Metadata.TryGetValue(key, out var word) && word.Length > 0 ? word : throw Wrong($"it does not say its {key}");
        if (Word("format") != Format)
            throw Wrong($"its format is {Word("format")}, this program reads {Format}");
        (Name, Base) = (Word("name"), Word("base"));
        if (Name.Any(c => !char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_' or '.')))
            throw Wrong("its name has other characters than letters, digits, '-', '_' and '.'");
        _bases = Word("base_sha256").Split(',');
        _layers = [.. file.Names.Where(n => n.EndsWith(A, StringComparison.Ordinal)).Select(n => n[..^A.Length])];
        if (_layers.Length == 0)
            throw Wrong("it has no lora_A and lora_B");
        foreach (var layer in _layers)
        {
            if (!file.Names.Contains(layer + B) || file[layer + A].Shape is not [var rank, _] || file[layer + B].Shape is not [_, var same] || same != rank)
                throw Wrong($"lora_A and lora_B of {layer} are no pair");
            if (!file[layer + A].Values.Concat(file[layer + B].Values).All(float.IsFinite))
                throw Wrong($"{layer} has values that are no numbers");
        }
    }

    /// <summary>The camera's.</summary>
    public string Name { get; }

    /// <summary>The network that it adapts, by its name in the pack.</summary>
    public string Base { get; }

    /// <summary>Reads an adapter.</summary>
    /// <param name="file">Its path; or its name alone, for NAME.safetensors in the folder "adapters".</param>
    /// <exception cref="ModelException">The file is missing, damaged, or no adapter.</exception>
    public static LoraAdapter Open(string file)
    {
        ArgumentException.ThrowIfNullOrEmpty(file);
        if (Path.GetFileName(file) == file && !Path.HasExtension(file))
            file = Path.Combine("adapters", file + ".safetensors");
        return new(file, Safetensors.Read(file));
    }

    /// <summary>A network with the adapter in it.</summary>
    /// <param name="entry">What it is.</param>
    /// <param name="model">Its file, int8 or fp16, as tools/training/export.py writes it.</param>
    /// <exception cref="ModelException">The adapter was fitted to another one.</exception>
    internal byte[] Merge(ModelEntry entry, byte[] model)
    {
        if (entry.Name != Base)
            throw Wrong($"it is for {Base}, not for {entry.Name}");
        if (!_bases.Contains(entry.Sha256, StringComparer.OrdinalIgnoreCase))
            throw Wrong($"it was fitted to another {Base} than that of this pack (SHA-256 {entry.Sha256}): fit it anew with tools/training/adapt.py");
        OnnxWeights file;
        try
        {
            file = OnnxWeights.Parser.ParseFrom(model);
        }
        catch (InvalidProtocolBufferException e)
        {
            throw new ModelException($"{entry.File} is no ONNX: {e.Message}", e);
        }

        var constants = file.Graph?.Initializer.ToDictionary(c => c.Name) ?? [];
        foreach (var layer in _layers)
            Merge(layer, constants);
        return file.ToByteArray();
    }

    private void Merge(string layer, Dictionary<string, OnnxConstant> constants)
    {
        if (!constants.TryGetValue(layer + "_w", out var weight) || weight.DataType is not (Int8 or Float16))
            throw Wrong($"{Base} has no layer {layer} of int8 or fp16");
        var (rank, inputs) = (_file[layer + A].Shape[0], _file[layer + A].Shape[1]);
        var outputs = _file[layer + B].Shape[0];
        if (weight.Dims.Count == 0 || weight.Dims[0] != outputs || weight.Dims.Skip(1).Aggregate(1L, (n, d) => n * d) != inputs)
            throw Wrong($"layer {layer} of {Base} has [{string.Join(',', weight.Dims)}], lora_B and lora_A have [{outputs},{rank}] and [{rank},{inputs}]");
        float[] a = _file[layer + A].Values, b = _file[layer + B].Values;
        if (weight.DataType == Float16)
        {
            var w = Values<Half>(weight);
            for (var i = 0; i < w.Length; i++)
                w[i] = (Half)((float)w[i] + Delta(i));
            weight.RawData = Bytes(w);
            return;
        }

        // The scales of weights follow their new ranges; a bias is in units of its scale, which is that of the weights times that of what goes in.
        OnnxConstant Constant(string end, int type) => constants.TryGetValue(layer + end, out var c) && c.DataType == type ? c : throw Wrong($"{Base} has no {layer}{end}");
        OnnxConstant scaleOf = Constant("_ws", Float), bias = Constant("_b", Int32), biasScaleOf = Constant("_bs", Float);
        var (quantized, scales, biases, biasScales) = (Values<sbyte>(weight), Values<float>(scaleOf), Values<int>(bias), Values<float>(biasScaleOf));
        if (scales.Length != outputs || biases.Length != outputs || biasScales.Length != outputs)
            throw Wrong($"layer {layer} of {Base} does not have {outputs} scales and biases");
        var row = new float[inputs];
        for (var y = 0; y < outputs; y++)
        {
            var most = 0f;
            for (var x = 0; x < inputs; x++)
                most = Math.Max(most, Math.Abs(row[x] = quantized[y * inputs + x] * scales[y] + Delta(y * inputs + x)));
            var scale = Math.Max(most / 127, 1e-8f);
            for (var x = 0; x < inputs; x++)
                quantized[y * inputs + x] = (sbyte)Math.Clamp(MathF.Round(row[x] / scale), -127, 127);
            var ratio = scale / scales[y];
            biases[y] = (int)Math.Clamp(Math.Round(biases[y] / ratio), int.MinValue, int.MaxValue);
            biasScales[y] *= ratio;
            scales[y] = scale;
        }

        (weight.RawData, scaleOf.RawData, bias.RawData, biasScaleOf.RawData) = (Bytes(quantized), Bytes(scales), Bytes(biases), Bytes(biasScales));

        float Delta(int at)
        {
            var (y, x) = (at / inputs, at % inputs);
            var sum = 0f;
            for (var r = 0; r < rank; r++)
                sum += b[y * rank + r] * a[r * inputs + x];
            return sum;
        }
    }

    private static T[] Values<T>(OnnxConstant constant) where T : unmanaged => MemoryMarshal.Cast<byte, T>(constant.RawData.Span).ToArray();

    private static ByteString Bytes<T>(T[] values) where T : unmanaged => ByteString.CopyFrom(MemoryMarshal.AsBytes(values.AsSpan()));

    private ModelException Wrong(string what) => new($"the adapter {_path} does not fit: {what}");
}
