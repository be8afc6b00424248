namespace CmvcStream.Core.Media;

/// <summary>Where a shown picture comes from. People must be able to tell what was transmitted from what was imagined.</summary>
public enum Provenance
{
    /// <summary>No picture has arrived yet; black is shown.</summary>
    None,

    /// <summary>A decoded keyframe.</summary>
    Transmitted,

    /// <summary>A decoded keyframe to which a network has given back detail that its bits could not pay for.</summary>
    Restored,

    /// <summary>Made between two keyframes.</summary>
    Interpolated,

    /// <summary>Made from keyframes of the past alone (low latency).</summary>
    Extrapolated,

    /// <summary>The last picture, repeated.</summary>
    Held,
}

/// <summary>A picture to show, and what it is. Owns a reference to its frame.</summary>
/// <param name="Frame">Pixels; its Pts is the source time that it depicts.</param>
/// <param name="Provenance">Where it comes from.</param>
/// <param name="Number">Presentation frame number, from 0; frame n shows source time n / fps.</param>
/// <param name="PresentedAt">When it was presented, by the presentation clock (microseconds since it began to run).</param>
public sealed record RegeneratedFrame(VideoFrame Frame, Provenance Provenance, long Number, MediaTime PresentedAt) : IDisposable
{
    public void Dispose() => Frame.Dispose();
}
