using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace CmvcStream.Inference;

/// <summary>
/// A model with inputs of fixed dimensions: buffers that are bound once and used again, so that a run allocates nothing. For one thread at
/// a time.
/// </summary>
public sealed class OnnxBinding : IDisposable
{
    private readonly InferenceSession _session;
    private readonly RunOptions _run = new();
    private readonly OrtIoBinding _binding;
    private readonly Dictionary<string, Bound> _inputs = [], _outputs = [];

    internal OnnxBinding(InferenceSession session, IReadOnlyDictionary<string, (Type Element, long[] Shape)> inputs, string[] outputs)
    {
        _session = session;
        _binding = session.CreateIoBinding();
        try
        {
            foreach (var (name, (element, shape)) in inputs)
                _binding.BindInput(name, Allocate(_inputs, name, element, shape));
            // What comes out is known after a run only, where dimensions are free.
            foreach (var name in outputs)
                _binding.BindOutputToDevice(name, OrtMemoryInfo.DefaultInstance);
            session.RunWithBinding(_run, _binding);
            using (var results = _binding.GetOutputValues())
            {
                foreach (var (name, result) in outputs.Zip(results))
                {
                    var info = result.GetTensorTypeAndShape();
                    if (info.ElementDataType is TensorElementType.Float or TensorElementType.UInt8)
                        Allocate(_outputs, name, info.ElementDataType == TensorElementType.Float ? typeof(float) : typeof(byte), info.Shape);
                }
            }

            _binding.ClearBoundOutputs();
            foreach (var name in outputs)
            {
                if (_outputs.TryGetValue(name, out var output))
                    _binding.BindOutput(name, output.Value);
                else
                    _binding.BindOutputToDevice(name, OrtMemoryInfo.DefaultInstance);
            }

            session.RunWithBinding(_run, _binding);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The buffer of an input of floats, row-major, to be filled before a run.</summary>
    /// <exception cref="ModelException">There is no such input.</exception>
    public Span<float> Input(string name) => Find<float>(_inputs, name, "input of floats");

    /// <summary>The buffer of an input of bytes, row-major, to be filled before a run.</summary>
    /// <exception cref="ModelException">There is no such input.</exception>
    public Span<byte> InputBytes(string name) => Find<byte>(_inputs, name, "input of bytes");

    /// <summary>The buffer of an output of floats, row-major; holds what the last run has given.</summary>
    /// <exception cref="ModelException">There is no such output.</exception>
    public ReadOnlySpan<float> Output(string name) => Find<float>(_outputs, name, "output of floats");

    /// <summary>The buffer of an output of bytes, row-major; holds what the last run has given.</summary>
    /// <exception cref="ModelException">There is no such output.</exception>
    public ReadOnlySpan<byte> OutputBytes(string name) => Find<byte>(_outputs, name, "output of bytes");

    /// <summary>Dimensions of an output.</summary>
    /// <exception cref="ModelException">There is no such output, or it is neither of floats nor of bytes.</exception>
    public IReadOnlyList<long> OutputShape(string name) => Find(_outputs, name, "output").Shape;

    /// <summary>Runs the network once.</summary>
    /// <exception cref="ModelException">It fails.</exception>
    public void Run()
    {
        try
        {
            _session.RunWithBinding(_run, _binding);
        }
        catch (OnnxRuntimeException e)
        {
            throw new ModelException("a network failed: " + e.Message, e);
        }
    }

    public void Dispose()
    {
        _binding.Dispose();
        _run.Dispose();
        foreach (var bound in _inputs.Values.Concat(_outputs.Values))
            bound.Value.Dispose();
    }

    private static OrtValue Allocate(Dictionary<string, Bound> buffers, string name, Type element, long[] shape)
    {
        var bound = buffers[name] = element == typeof(float) ? Allocate<float>(shape) : Allocate<byte>(shape);
        return bound.Value;
    }

    private static Bound Allocate<T>(long[] shape) where T : unmanaged
    {
        var buffer = GC.AllocateArray<T>(checked((int)shape.Aggregate(1L, (a, b) => a * b)), pinned: true);
        return new(buffer, OrtValue.CreateTensorValueFromMemory(buffer, shape), shape);
    }

    private static T[] Find<T>(Dictionary<string, Bound> buffers, string name, string what) => Find(buffers, name, what).Buffer as T[]
        ?? throw new ModelException($"the network has no {what} '{name}': it is of another type");

    private static Bound Find(Dictionary<string, Bound> buffers, string name, string what) =>
        buffers.TryGetValue(name, out var found) ? found : throw new ModelException($"the network has no {what} '{name}'; it has {string.Join(", ", buffers.Keys)}");

    private sealed record Bound(Array Buffer, OrtValue Value, long[] Shape);
}
