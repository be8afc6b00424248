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
    private static readonly Dictionary<string, Func<PixelSize, ISyntheticScene>> All = new()
    {
        ["street"] = size => new StreetScene(size),
        ["drone"] = size => new DroneScene(size),
    };

    /// <summary>Names that <see cref="Find"/> takes.</summary>
    public static IReadOnlyCollection<string> Names => All.Keys;

    /// <summary>What sets a scene up for a size; that takes a moment.</summary>
    /// <exception cref="FormatException">There is no such scene; the message lists those there are.</exception>
    public static Func<PixelSize, ISyntheticScene> Find(string name) => All.TryGetValue(name, out var scene)
        ? scene
        : throw new FormatException($"there is no scene '{name}'; write {string.Join(" or ", Names.Select(n => "synthetic:" + n))}");
}
