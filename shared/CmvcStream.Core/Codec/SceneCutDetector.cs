namespace CmvcStream.Core.Codec;

/// <summary>Tuning of <see cref="SceneCutDetector"/>; distances are 1 minus the cosine similarity.</summary>
public sealed record SceneCutOptions
{
    /// <summary>
    /// Least distance of a cut picture to the one before. For <see cref="DescriptorEmbedding"/>: joined clips have .32 and more, fast motion
    /// up to .25 at 15 frames/s (docs/modes.md). For CLIP use .5.
    /// </summary>
    public float Threshold { get; init; } = .27f;

    /// <summary>A cut stands out by this factor from the largest distance of the recent frames: a fast pan does not.</summary>
    public float Prominence { get; init; } = 2.5f;

    /// <summary>After a cut the picture is calm again: the next distance is below this share of the cut's.</summary>
    public float Calm { get; init; } = .7f;

    /// <summary>How far, in thresholds, the picture after the cut must be from the one before it; after a flash it is not.</summary>
    public float Lasting { get; init; } = .8f;
}

/// <summary>What the detector thinks of the scene after a frame.</summary>
public enum CutVerdict
{
    /// <summary>The scene goes on.</summary>
    None,

    /// <summary>This frame may have begun a new scene; the next one will tell.</summary>
    Suspected,

    /// <summary>The frame before this one began a new scene.</summary>
    Confirmed,
}

/// <summary>
/// Finds hard cuts in a sequence of embeddings, one frame late. The frame of lateness tells a cut from a flash (after which the old
/// scene is back) and from the end of a fast pan, and costs little: the picture shown for it is that of the old scene, while an
/// intra keyframe wasted on a flash is seconds of a slow link. Soft transitions (fades, dissolves) are no cuts: each of their frames is
/// well predicted from the last.
/// </summary>
public sealed class SceneCutDetector
{
    private const int RecentFrames = 8;

    private readonly SceneCutOptions _options;
    private readonly float[] _recent = new float[RecentFrames];
    private float[] _previous = [];
    private float[] _anchor = [];
    private int _recentCount, _recentNext;
    private float _suspectDistance;
    private bool _started, _suspects;

    public SceneCutDetector(SceneCutOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        _options = options;
    }

    /// <summary>Takes the next frame's embedding.</summary>
    /// <exception cref="ArgumentException">Its length differs from that of the frames before.</exception>
    public CutVerdict Consider(ReadOnlySpan<float> embedding)
    {
        if (!_started)
        {
            _started = true;
            _previous = embedding.ToArray();
            _anchor = embedding.ToArray();
            return CutVerdict.None;
        }

        var distance = 1 - Similarity.Cosine(embedding, _previous);
        var verdict = _suspects ? Confirm(embedding, distance) : Suspect(distance);
        if (verdict == CutVerdict.Suspected)
            (_anchor, _previous) = (_previous, _anchor); // keeps the last picture of the old scene
        embedding.CopyTo(_previous);
        return verdict;
    }

    private CutVerdict Suspect(float distance)
    {
        var usual = 0f;
        for (var i = 0; i < _recentCount; i++)
            usual = MathF.Max(usual, _recent[i]);
        if (distance > _options.Threshold && distance > _options.Prominence * usual)
        {
            _suspects = true;
            _suspectDistance = distance;
            return CutVerdict.Suspected;
        }

        Remember(distance);
        return CutVerdict.None;
    }

    private CutVerdict Confirm(ReadOnlySpan<float> embedding, float distance)
    {
        _suspects = false;
        if (1 - Similarity.Cosine(embedding, _anchor) <= _options.Lasting * _options.Threshold)
            return CutVerdict.None; // a flash; its distances are not what is usual here
        if (distance < _options.Calm * _suspectDistance)
        {
            // What was usual in the old scene says nothing about the new one.
            _recentCount = _recentNext = 0;
            Remember(distance);
            return CutVerdict.Confirmed;
        }

        Remember(_suspectDistance);
        Remember(distance);
        return CutVerdict.None;
    }

    private void Remember(float distance)
    {
        _recent[_recentNext] = distance;
        _recentNext = (_recentNext + 1) % RecentFrames;
        _recentCount = Math.Min(_recentCount + 1, RecentFrames);
    }
}
