using CmvcStream.Core.Media;

namespace CmvcStream.Sender.Capture.Synthetic;

/// <summary>A drawn scene: what it shows at a time depends on that time and the size alone.</summary>
public interface ISyntheticScene
{
    /// <summary>Draws the whole picture. Several frames may not be drawn at once.</summary>
    void Render(VideoFrame frame, MediaTime time);
}

/// <summary>The scenes by name.</summary>
public static class Scenes
{
    /// <summary>Names that <see cref="Create"/> takes.</summary>
    public static IReadOnlyList<string> Names { get; } = ["street", "drone"];

    /// <exception cref="FormatException">There is no such scene; the message lists those there are.</exception>
    public static ISyntheticScene Create(string name, PixelSize size) => name switch
    {
        "street" => new StreetScene(size),
        "drone" => new DroneScene(size),
        _ => throw new FormatException($"there is no scene '{name}'; write {string.Join(" or ", Names.Select(n => "synthetic:" + n))}"),
    };
}
