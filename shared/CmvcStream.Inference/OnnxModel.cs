using System.Runtime.Intrinsics.X86;
using Microsoft.ML.OnnxRuntime;

namespace CmvcStream.Inference;

/// <summary>An input or output of a model.</summary>
/// <param name="Name">As the file has it.</param>
/// <param name="ElementType">For example float.</param>
/// <param name="Shape">Its dimensions; -1 is one that is free.</param>
public sealed record TensorPort(string Name, Type ElementType, IReadOnlyList<int> Shape)
{
    public override string ToString() =>
        $"{Name} {ElementType.Name.ToLowerInvariant()}[{string.Join(',', Shape).Replace("-1", "?", StringComparison.Ordinal)}]";

    /// <summary>Whether a tensor of these dimensions goes in.</summary>
    public bool Takes(IReadOnlyList<long> shape) => shape.Count == Shape.Count && shape.Zip(Shape).All(d => d.First > 0 && (d.Second < 0 || d.First == d.Second));
}

/// <summary>A network on ONNX Runtime. Runs through <see cref="Bind"/>; bindings may run at the same time.</summary>
public sealed class OnnxModel : IDisposable
{
    private readonly InferenceSession _session;

    private OnnxModel(string file, ExecutionProvider provider, InferenceSession session)
    {
        (File, Provider, _session) = (file, provider, session);
        Inputs = [.. session.InputMetadata.Select(Port)];
        Outputs = [.. session.OutputMetadata.Select(Port)];
    }

    /// <summary>
    /// x64 CPUs without these instructions multiply bytes in a way that overflows at full ranges, unless told to do it in another way, which takes
    /// three times as long. CPUID leaf 7: AVX512_VNNI is ECX bit 11, AVX-VNNI EAX bit 4 of subleaf 1.
    /// </summary>
    private static bool HasVnni { get; } = !X86Base.IsSupported || (X86Base.CpuId(7, 0).Ecx >> 11 & 1) != 0 || (X86Base.CpuId(7, 1).Eax >> 4 & 1) != 0;

    /// <summary>Where it was read from.</summary>
    public string File { get; }

    /// <summary>What runs it.</summary>
    public ExecutionProvider Provider { get; }

    public IReadOnlyList<TensorPort> Inputs { get; }

    public IReadOnlyList<TensorPort> Outputs { get; }

    /// <summary>Reads a model and prepares it for the machine.</summary>
    /// <param name="file">An .onnx file.</param>
    /// <param name="threads">Threads of one run. Waiting threads sleep: spinning ones would take the cores from everyone else.</param>
    /// <exception cref="ModelException">The file is missing or holds no model that this ONNX Runtime runs, or ONNX Runtime itself is missing.</exception>
    public static OnnxModel Open(string file, int threads = 1)
    {
        byte[] model;
        try
        {
            model = System.IO.File.ReadAllBytes(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ModelException($"the model {file} cannot be read: {e.Message}", e);
        }

        return Open(model, file, threads);
    }

    /// <summary>Prepares a model that is in memory for the machine.</summary>
    /// <param name="model">What an .onnx file holds.</param>
    /// <param name="file">Its name, for messages.</param>
    /// <param name="threads">As above.</param>
    /// <param name="provider">What runs it.</param>
    /// <exception cref="ModelException">It is no model that this ONNX Runtime runs on this provider, or ONNX Runtime itself is missing.</exception>
    public static OnnxModel Open(byte[] model, string file, int threads = 1, ExecutionProvider provider = ExecutionProvider.Cpu)
    {
        try
        {
            using var options = new SessionOptions
            {
                IntraOpNumThreads = threads,
                InterOpNumThreads = 1,
                ExecutionMode = ExecutionMode.ORT_SEQUENTIAL,
                GraphOptimizationLevel = GraphOptimizationLevel.ORT_ENABLE_ALL,
                LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR,
            };
            options.AddSessionConfigEntry("session.intra_op.allow_spinning", "0");
            if (!HasVnni)
                options.AddSessionConfigEntry("session.x64quantprecision", "1");
            if (provider == ExecutionProvider.Cuda)
                options.AppendExecutionProvider_CUDA();
            return new(file, provider, new(model, options));
        }
        catch (OnnxRuntimeException e) when (provider == ExecutionProvider.Cuda)
        {
            throw new ModelException($"{file} does not start on CUDA: {e.Message}", e);
        }
        catch (OnnxRuntimeException e)
        {
            throw new ModelException($"{file} is no model that ONNX Runtime can run: {e.Message}; is the file whole, and ONNX?", e);
        }
        catch (Exception e) when ((e.InnerException ?? e) is DllNotFoundException)
        {
            var why = (e.InnerException ?? e).Message;
            throw new ModelException($"ONNX Runtime's native library cannot be loaded beside this program; a new build ('./cmvc setup') puts it there: {why}", e);
        }
    }

    /// <summary>Prepares runs with inputs of these dimensions, and runs once, so that the first real run is as fast as any.</summary>
    /// <param name="shapes">Dimensions of each input by its name.</param>
    /// <exception cref="ModelException">An input is missing, unknown, not of floats, or of other dimensions; or the model fails with them.</exception>
    public OnnxBinding Bind(IReadOnlyDictionary<string, long[]> shapes)
    {
        ArgumentNullException.ThrowIfNull(shapes);
        foreach (var port in Inputs)
        {
            if (!shapes.TryGetValue(port.Name, out var shape))
                throw new ModelException($"{File} wants an input {port}, which is not given");
            if (port.ElementType != typeof(float) && port.ElementType != typeof(byte))
                throw new ModelException($"{File}: the input {port} is neither of floats nor of bytes: another model is needed, or another version of this program");
            if (!port.Takes(shape))
                throw new ModelException($"{File}: the input {port} does not take [{string.Join(',', shape)}]");
        }

        if (shapes.Keys.FirstOrDefault(name => Inputs.All(p => p.Name != name)) is { } unknown)
            throw new ModelException($"{File} has no input '{unknown}'; it has {string.Join(", ", Inputs)}");
        try
        {
            return new(_session, Inputs.ToDictionary(p => p.Name, p => (p.ElementType, shapes[p.Name])), [.. Outputs.Select(o => o.Name)]);
        }
        catch (Exception e) when (e is OnnxRuntimeException or OverflowException or OutOfMemoryException)
        {
            var given = string.Join(", ", shapes.Select(s => $"{s.Key} [{string.Join(',', s.Value)}]"));
            throw new ModelException($"{File} fails with inputs of {given}: {e.Message}", e);
        }
    }

    public void Dispose() => _session.Dispose();

    private static TensorPort Port(KeyValuePair<string, NodeMetadata> named) => new(named.Key, named.Value.ElementType, named.Value.Dimensions);
}
