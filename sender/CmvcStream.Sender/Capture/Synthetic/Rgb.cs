namespace CmvcStream.Sender.Capture.Synthetic;

/// <summary>A colour; each part is 0 to 1.</summary>
public readonly record struct Rgb(double R, double G, double B)
{
    /// <summary>Reads "#rrggbb" as a number, for example 0x3a6ea5.</summary>
    public static Rgb Hex(int value) => new((value >> 16 & 255) / 255.0, (value >> 8 & 255) / 255.0, (value & 255) / 255.0);

    public static Rgb operator *(Rgb colour, double gain) => new(colour.R * gain, colour.G * gain, colour.B * gain);

    public static Rgb Mix(Rgb from, Rgb to, double part) =>
        new(from.R + (to.R - from.R) * part, from.G + (to.G - from.G) * part, from.B + (to.B - from.B) * part);

    /// <summary>BT.601, limited range.</summary>
    public (double Y, double U, double V) ToYuv()
    {
        double r = Math.Clamp(R, 0, 1), g = Math.Clamp(G, 0, 1), b = Math.Clamp(B, 0, 1);
        return (
            16 + 65.481 * r + 128.553 * g + 24.966 * b,
            128 - 37.797 * r - 74.203 * g + 112 * b,
            128 + 112 * r - 93.786 * g - 18.214 * b);
    }
}
