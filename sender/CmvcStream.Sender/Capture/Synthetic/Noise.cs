namespace CmvcStream.Sender.Capture.Synthetic;

/// <summary>Value noise: random values on a grid, smoothly joined. The same seed and place give the same value.</summary>
public readonly struct Noise(uint seed)
{
    /// <summary>A value of 0 to 1 for a cell of the grid.</summary>
    public double Cell(int x, int y)
    {
        unchecked
        {
            var h = seed + (uint)x * 0x9e3779b1u + (uint)y * 0x85ebca77u;
            h = (h ^ h >> 15) * 0x2c1b3c6du;
            h = (h ^ h >> 12) * 0x297a2d39u;
            return (h ^ h >> 15) / (double)uint.MaxValue;
        }
    }

    /// <summary>A smooth value of 0 to 1; features are about one unit wide.</summary>
    public double At(double x, double y)
    {
        int ix = (int)Math.Floor(x), iy = (int)Math.Floor(y);
        double fx = Smooth(x - ix), fy = Smooth(y - iy);
        var above = Cell(ix, iy) + (Cell(ix + 1, iy) - Cell(ix, iy)) * fx;
        var below = Cell(ix, iy + 1) + (Cell(ix + 1, iy + 1) - Cell(ix, iy + 1)) * fx;
        return above + (below - above) * fy;
    }

    /// <summary>Octaves of noise, each half as strong and half as wide as the one before; 0 to 1.</summary>
    public double Fractal(double x, double y, int octaves)
    {
        double sum = 0, weight = 0.5, total = 0;
        for (var i = 0; i < octaves; i++)
        {
            sum += weight * At(x, y);
            total += weight;
            (x, y, weight) = (x * 2 + 17.3, y * 2 + 5.9, weight / 2);
        }

        return sum / total;
    }

    public static double Smooth(double t) => t * t * (3 - 2 * t);
}
