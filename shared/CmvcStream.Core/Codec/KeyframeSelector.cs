using CmvcStream.Protos;

namespace CmvcStream.Core.Codec;

/// <summary>
/// Chooses keyframes by the cosine similarity of embeddings (CMVC, section "Keyframe selection"): far from the last keyframe, at the
/// maximum interval, or at a cut. Causal. The threshold of change adapts so that keyframes come as often as the budget can pay for:
/// densely where content changes fast, sparsely where it does not.
/// </summary>
/// <param name="changeExponent">How much change rules over time: 0 is uniform spacing, 1 is equal change in each gap.</param>
public sealed class KeyframeSelector(double changeExponent = KeyframeSelector.ChangeExponent)
{
    /// <summary>
    /// Tuned, with the adaptation, on the error of
    /// blending between keyframes in joined clips (docs/modes.md); 1 is worse than uniform, since the error in a gap levels off.
    /// </summary>
    public const double ChangeExponent = 0.2;

    /// <summary>The logarithm of the threshold moves by this for a keyframe too many or too few.</summary>
    private const double Adaptation = 0.2, FirstAdaptation = 0.6;

    private const int First = 8;

    // Change is the chord between unit vectors, 0 to 2: for small changes it grows linearly with how far things have moved.
    private const double LeastThreshold = 0.03, GreatestThreshold = 1;

    private readonly SceneCutDetector _cuts = new(new());
    private float[] _keyframe = [];
    private double _threshold = 0.15;
    private double _share = 1;
    private int _keyframes;
    private bool _cutPending;

    /// <summary>Says whether a frame is a keyframe, and why; null: it is not.</summary>
    /// <param name="embedding">Of the newest frame.</param>
    /// <param name="ticks">Ticks since the last keyframe.</param>
    /// <param name="target">Ticks between keyframes that the budget pays for.</param>
    /// <param name="minimum">Least ticks between keyframes, cuts apart.</param>
    /// <param name="maximum">Most ticks between keyframes.</param>
    public KeyframeReason? Consider(ReadOnlySpan<float> embedding, double ticks, double target, double minimum, double maximum)
    {
        _share = ticks / target;
        var verdict = _cuts.Consider(embedding);
        _cutPending |= verdict == CutVerdict.Confirmed;
        if (_cutPending)
            return KeyframeReason.SceneCut;
        if (ticks < minimum || verdict == CutVerdict.Suspected)
            return null; // nothing is spent on what may be a flash
        if (ticks >= maximum)
            return KeyframeReason.Interval;
        var chord = Math.Sqrt(Math.Max(0, 2 - 2 * (double)Similarity.Cosine(embedding, _keyframe)));
        var change = chord / _threshold;
        if (Math.Pow(change, changeExponent) * Math.Pow(_share, 1 - changeExponent) < 1)
            return null;
        return change >= 1 ? KeyframeReason.Change : KeyframeReason.Interval;
    }

    /// <summary>The frame of this embedding became a keyframe.</summary>
    public void Keyframe(ReadOnlySpan<float> embedding, KeyframeReason reason)
    {
        if (_keyframe.Length == 0)
            _cuts.Consider(embedding);
        if (_keyframe.Length != embedding.Length)
            _keyframe = new float[embedding.Length];
        embedding.CopyTo(_keyframe);
        _threshold = Math.Clamp(_threshold * Math.Exp((_keyframes++ < First ? FirstAdaptation : Adaptation) * (1 - _share)), LeastThreshold, GreatestThreshold);
        _share = 0;
        if (reason == KeyframeReason.SceneCut)
            _cutPending = false;
    }
}
