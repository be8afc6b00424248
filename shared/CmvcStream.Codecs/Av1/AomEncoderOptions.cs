namespace CmvcStream.Codecs.Av1;

/// <summary>How libaom searches. The defaults were chosen by measurement; see <see cref="AomKeyframeEncoder"/>.</summary>
public sealed record AomEncoderOptions
{
    /// <summary>libaom's cpu-used in good quality: 2 (slow) to 6 (fast).</summary>
    public int Speed { get; init; } = 5;

    /// <summary>1 to 16. Our pictures are one tile, so more than one helps little.</summary>
    public int Threads { get; init; } = 1;

    /// <summary>Tools by libaom's command-line names, for example ("enable-cdef", "0"). These replace the default, tune=ssim.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Tools { get; init; } = [new("tune", "ssim")];
}

/// <summary>What became of a keyframe.</summary>
/// <param name="Intra">Decodes alone; also where the settings did not ask for it but left nothing to predict from.</param>
/// <param name="QuantizerIndex">AV1's base_q_idx, 0 to 255: always the one that the quality stands for.</param>
/// <param name="CodedSize">The size that the decoder will give.</param>
/// <param name="Base">Number of the keyframe that it is predicted from: the one before, or an acknowledged one; 0: intra.</param>
public readonly record struct KeyframeOutcome(bool Intra, int QuantizerIndex, Core.Media.PixelSize CodedSize, long Base);
