namespace CmvcStream.Core.Media;

/// <summary>Width and height in luma pixels.</summary>
public readonly record struct PixelSize(int Width, int Height)
{
    /// <summary>Chroma width and height of a 4:2:0 picture: half, rounded up.</summary>
    public PixelSize Chroma => new((Width + 1) / 2, (Height + 1) / 2);

    public int Area => Width * Height;

    /// <summary>Reads "480x270".</summary>
    /// <exception cref="FormatException">The text is no size, or a side is not within 16 to 4096.</exception>
    public static PixelSize Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var parts = text.Split('x', 'X');
        if (parts.Length != 2 || !int.TryParse(parts[0], out var w) || !int.TryParse(parts[1], out var h))
            throw new FormatException($"'{text}' is no picture size; write for example 480x270");
        if (w is < 16 or > 4096 || h is < 16 or > 4096)
            throw new FormatException($"picture size {text} is out of range: each side is 16 to 4096 pixels");
        return new(w, h);
    }

    public override string ToString() => $"{Width}x{Height}";
}
