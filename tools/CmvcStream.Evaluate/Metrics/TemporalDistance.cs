namespace CmvcStream.Evaluate.Metrics;

/// <summary>
/// tLP, mean |LPIPS(s[i-1], s[i]) - LPIPS(r[i-1], r[i])| over a clip: what flickers, and what stands still while the source moves, raises it.
/// After Chu, Xie, Mayer, Leal-Taixé, Thuerey, "Learning Temporal Coherence via Self-Supervision for GAN-based Video Generation"
/// (TecoGAN, 2020), who give it times 100.
/// </summary>
internal sealed class TemporalDistance
{
    private double _sum;

    /// <summary>Steps added.</summary>
    public int Count { get; private set; }

    /// <summary>0 is best; null before the first step.</summary>
    public double? Mean => Count == 0 ? null : _sum / Count;

    /// <summary>Adds a step from one picture to the next.</summary>
    /// <param name="source">Distance of the source's picture from the one before.</param>
    /// <param name="received">The same of the received pictures.</param>
    /// <exception cref="ArgumentException">One is not a number.</exception>
    public void Add(double source, double received)
    {
        if (!double.IsFinite(source) || !double.IsFinite(received))
            throw new ArgumentException($"a distance is not a number: {source} of the source, {received} of what was received", nameof(source));
        _sum += Math.Abs(source - received);
        Count++;
    }
}
