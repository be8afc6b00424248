using CmvcStream.Core.Media;

namespace CmvcStream.Core.Text;

/// <summary>What a describer looks at.</summary>
/// <param name="Frame">The newest frame.</param>
/// <param name="Time">Its source time.</param>
/// <param name="Scene">The scene's number; a new one is described at once.</param>
public readonly record struct DescriberInput(VideoFrame Frame, MediaTime Time, int Scene);

/// <summary>A scene in words, in the grammar of docs/modes.md. An empty part is as before.</summary>
/// <param name="Scene">The scene's number.</param>
/// <param name="Look">Light and palette, for example "bright; green, grey".</param>
/// <param name="Motion">Camera motion, for example "camera pans left".</param>
public sealed record SceneDescription(int Scene, string Look, string Motion);

/// <summary>Puts what a picture shows into words.</summary>
public interface IDescriber
{
    /// <summary>Looks at the next frame; a text comes out only when something worth saying has changed.</summary>
    bool TryDescribe(in DescriberInput input, out SceneDescription text);
}
