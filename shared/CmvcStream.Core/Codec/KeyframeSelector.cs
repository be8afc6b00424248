using CmvcStream.Protos;

namespace CmvcStream.Core.Codec;

/// <summary>
/// Chooses keyframes by the cosine similarity of embeddings (CMVC, section "Keyframe selection"): far from the last keyframe, at the
/// maximum interval, or at a cut. Causal. The threshold of change adapts so that keyframes come as often as the budget can pay for:
/// densely where content changes fast, sparsely where it does not.
/// </summary>
public sealed class KeyframeSelector
{
    /// <summary>A frame this unlike the one before it is a cut, unless the frames before it were as unlike.</summary>
    private const float CutChange = 0.22f, CutRatio = 4;

    private float[] _keyframe = [], _previous = [];
    private float _usual = 0.01f;
    private float _threshold = 0.012f;

    /// <summary>Says whether a frame is a keyframe, and why; null: it is not.</summary>
    /// <param name="embedding">Of the newest frame.</param>
    /// <param name="ticks">Ticks since the last keyframe.</param>
    /// <param name="target">Ticks between keyframes that the budget pays for.</param>
    /// <param name="minimum">Least ticks between keyframes, cuts apart.</param>
    /// <param name="maximum">Most ticks between keyframes.</param>
    /// <param name="pressure">1: the budget is as planned; below: there is more to spend; above: less.</param>
    public KeyframeReason? Consider(ReadOnlySpan<float> embedding, double ticks, double target, double minimum, double maximum, double pressure)
    {
        var step = 1 - Similarity.Cosine(embedding, _previous);
        var cut = step > CutChange && step > CutRatio * _usual;
        // A cut does not count as usual; fast motion soon does.
        _usual += ((cut ? _usual : step) - _usual) * 0.15f;
        embedding.CopyTo(_previous);
        if (cut)
            return KeyframeReason.SceneCut;
        if (ticks < minimum)
            return null;
        var change = 1 - Similarity.Cosine(embedding, _keyframe);
        KeyframeReason? reason = ticks >= maximum ? KeyframeReason.Interval : change >= _threshold * pressure ? KeyframeReason.Change : null;
        if (reason is not null)
            _threshold = Math.Clamp(_threshold * (float)Math.Exp(0.6 * (target - ticks) / target), 1e-5f, 0.5f);
        return reason;
    }

    /// <summary>The frame of this embedding became a keyframe.</summary>
    public void Keyframe(ReadOnlySpan<float> embedding, KeyframeReason reason)
    {
        if (_keyframe.Length != embedding.Length)
            (_keyframe, _previous) = (new float[embedding.Length], embedding.ToArray());
        embedding.CopyTo(_keyframe);
        if (reason == KeyframeReason.SceneCut)
            embedding.CopyTo(_previous);
    }
}
