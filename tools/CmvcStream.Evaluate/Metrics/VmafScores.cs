using System.Text.Json;

namespace CmvcStream.Evaluate.Metrics;

/// <summary>VMAF of a clip, frame by frame: 0 to 100, more is better.</summary>
/// <param name="Frames">One score a frame, in order.</param>
/// <param name="Pooled">libvmaf's own mean where its log has one, else that of the frames.</param>
internal sealed record VmafScores(IReadOnlyList<double> Frames, double Pooled)
{
    /// <summary>Mean of the frames from a given one on, up to but without another; null when there is none.</summary>
    public double? Mean(int from, int to = int.MaxValue)
    {
        var frames = Frames.Take(to).Skip(from).ToArray();
        return frames.Length == 0 ? null : frames.Average();
    }

    /// <summary>Reads libvmaf's log in JSON, of version 1 or later.</summary>
    /// <exception cref="EvaluateException">It is not such a log, or no frame in it has a score.</exception>
    public static VmafScores Parse(string json)
    {
        try
        {
            using var log = JsonDocument.Parse(json);
            var root = log.RootElement;
            double[] frames = [.. root.GetProperty("frames").EnumerateArray()
                .OrderBy(frame => frame.GetProperty("frameNum").GetInt32())
                .Select(frame => frame.GetProperty("metrics").GetProperty("vmaf").GetDouble())];
            if (frames.Length == 0)
                throw new EvaluateException("libvmaf's log has no frame: is one of the two videos empty?");
            // Version 1 logs the frames alone.
            return root.TryGetProperty("pooled_metrics", out var pooled)
                ? new(frames, pooled.GetProperty("vmaf").GetProperty("mean").GetDouble())
                : new(frames, frames.Average());
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            throw new EvaluateException($"libvmaf's log cannot be read: {e.Message}", e);
        }
    }
}
