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

    internal OnnxBinding(InferenceSession session, IReadOnlyDictionary<string, long[]> inputs, string[] outputs)
    {
        _session = session;
        _binding = session.CreateIoBinding();
        try
        {
            foreach (var (name, shape) in inputs)
                _binding.BindInput(name, Allocate(_inputs, name, shape));
            // What comes out is known after a run only, where dimensions are free.
            foreach (var name in outputs)
                _binding.BindOutputToDevice(name, OrtMemoryInfo.DefaultInstance);
            session.RunWithBinding(_run, _binding);
            using (var results = _binding.GetOutputValues())
            {
                foreach (var (name, result) in outputs.Zip(results))
                {
                    var info = result.GetTensorTypeAndShape();
                    if (info.ElementDataType == TensorElementType.Float)
                        Allocate(_outputs, name, info.Shape);
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

    /// <summary>The buffer of an input, row-major, to be filled before a run.</summary>
    /// <exception cref="ModelException">There is no such input.</exception>
    public Span<float> Input(string name) => Find(_inputs, name, "input").Buffer;

    /// <summary>The buffer of an output, row-major; holds what the last run has given.</summary>
    /// <exception cref="ModelException">There is no such output of floats.</exception>
    public ReadOnlySpan<float> Output(string name) => Find(_outputs, name, "output of floats").Buffer;

    /// <summary>Dimensions of an output.</summary>
    /// <exception cref="ModelException">There is no such output of floats.</exception>
    public IReadOnlyList<long> OutputShape(string name) => Find(_outputs, name, "output of floats").Shape;

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

    private static OrtValue Allocate(Dictionary<string, Bound> buffers, string name, long[] shape)
    {
        var buffer = GC.AllocateArray<float>(checked((int)shape.Aggregate(1L, (a, b) => a * b)), pinned: true);
        var value = OrtValue.CreateTensorValueFromMemory(buffer, shape);
        buffers[name] = new(buffer, value, shape);
        return value;
    }

    private static Bound Find(Dictionary<string, Bound> buffers, string name, string what) =>
        buffers.TryGetValue(name, out var found) ? found : throw new ModelException($"the network has no {what} '{name}'; it has {string.Join(", ", buffers.Keys)}");

    private sealed record Bound(float[] Buffer, OrtValue Value, long[] Shape);
}
