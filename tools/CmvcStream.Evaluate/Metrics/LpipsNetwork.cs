using CmvcStream.Core.Media;
using CmvcStream.Inference;

namespace CmvcStream.Evaluate.Metrics;

/// <summary>
/// LPIPS: the learned perceptual distance of Zhang et al., "The Unreasonable Effectiveness of Deep Features as a Perceptual Metric" (CVPR
/// 2018), by a network out of a file: inputs ref and dist, [1,3,H,W], RGB normalised as for ImageNet; one number comes out, 0 for equal
/// pictures. For one thread at a time.
/// </summary>
internal sealed class LpipsNetwork : IDisposable
{
    private const string Source = "ref", Result = "dist";
    // Mean and deviation of ImageNet's channels, for samples from 0 to 1.
    private static readonly float[] Mean = [0.485f, 0.456f, 0.406f], Deviation = [0.229f, 0.224f, 0.225f];

    // For each channel and sample.
    private static readonly float[][] Normalised =
        [.. Mean.Zip(Deviation, (mean, deviation) => Enumerable.Range(0, 256).Select(v => ((v / 255f) - mean) / deviation).ToArray())];

    private readonly OnnxModel _model;
    private readonly OnnxBinding _binding;
    private readonly string _output;
    private readonly int _pixels;

    /// <param name="file">The network.</param>
    /// <param name="size">Of the pictures.</param>
    /// <exception cref="ModelException">The file cannot be used as LPIPS.</exception>
    public LpipsNetwork(string file, PixelSize size)
    {
        _pixels = size.Area;
        _model = OnnxModel.Open(file);
        try
        {
            if (_model.Outputs.Count != 1 || !_model.Inputs.Select(i => i.Name).Order().SequenceEqual([Result, Source]))
            {
                throw new ModelException($"{file} is no LPIPS: wanted are inputs {Source} and {Result} [1,3,H,W] and one output; "
                    + $"it has {string.Join(", ", _model.Inputs)} and {string.Join(", ", _model.Outputs)}");
            }

            long[] shape = [1, 3, size.Height, size.Width];
            _binding = _model.Bind(new Dictionary<string, long[]> { [Source] = shape, [Result] = shape });
            _output = _model.Outputs[0].Name;
            if (_binding.Output(_output).Length != 1)
                throw new ModelException($"{file} is no LPIPS: it gives {_binding.Output(_output).Length} numbers for two pictures instead of one");
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Distance of two pictures of RGB24 without padding.</summary>
    public double Distance(ReadOnlySpan<byte> source, ReadOnlySpan<byte> result)
    {
        Normalise(source, _binding.Input(Source));
        Normalise(result, _binding.Input(Result));
        _binding.Run();
        return _binding.Output(_output)[0];
    }

    public void Dispose()
    {
        _binding?.Dispose();
        _model.Dispose();
    }

    private void Normalise(ReadOnlySpan<byte> rgb24, Span<float> planes)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(rgb24.Length, _pixels * 3);
        for (var c = 0; c < 3; c++)
        {
            var table = Normalised[c];
            var plane = planes.Slice(c * _pixels, _pixels);
            for (var i = 0; i < plane.Length; i++)
                plane[i] = table[rgb24[(i * 3) + c]];
        }
    }
}
