using CmvcStream.Core.Media;

namespace CmvcStream.Core.Codec;

/// <summary>
/// Maps a picture to a vector; the cosine similarity of two vectors says how alike the pictures are (the model role
/// <c>image-embedding</c>). The same picture gives the same vector on every machine or, for a model, on this machine.
/// </summary>
public interface IImageEmbedding
{
    /// <summary>Length of the vectors.</summary>
    int Dimensions { get; }

    /// <summary>Writes the vector of a picture of any size. The frame is only read, and not kept.</summary>
    /// <exception cref="ArgumentException"><paramref name="destination"/> is not <see cref="Dimensions"/> long.</exception>
    void Embed(VideoFrame frame, Span<float> destination);
}
