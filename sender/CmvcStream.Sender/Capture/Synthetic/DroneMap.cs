using CmvcStream.Core.Media;

namespace CmvcStream.Sender.Capture.Synthetic;

/// <summary>The land under the drone, seen from above: fields, woods, a river, a ring road, houses. The side is one unit.</summary>
internal static class DroneMap
{
    private static readonly Noise Grain = new(23);

    private static readonly int[] Crops = [0x7f9a4a, 0xb9a55a, 0x5f8043, 0x9a8455, 0x8fae5d, 0xc7b877, 0x6d7f3f];

    private static readonly int[] Roofs = [0xa5523b, 0x7d4a3d, 0x6b6f76, 0xb56a45];

    /// <summary>A place on the ring road; it is closed after 2 pi.</summary>
    public static (double X, double Y) Road(double angle)
    {
        var radius = 0.27 + 0.03 * Math.Sin(3 * angle) + 0.015 * Math.Sin(5 * angle + 1);
        return (0.5 + radius * Math.Cos(angle), 0.5 + radius * Math.Sin(angle));
    }

    public static VideoFrame Paint(int side)
    {
        var p = new Painter(side, side, side);
        p.Cover(Land);
        for (var i = 0; i < 46; i++)
            House(p, i);
        return p.ToFrame();
    }

    private static Rgb Land(double x, double y)
    {
        var speckle = 0.86 + 0.28 * Grain.Fractal(x * 260, y * 260, 2);
        var river = Math.Abs(x - 0.5 - 0.16 * Math.Sin(y * 6 + 0.8) - 0.03 * Math.Sin(y * 17)) / 0.022;
        if (RoadDistance(x, y, out var along) is < 0.011 and var road)
            return RoadColour(road, along, speckle);
        if (river < 1)
            return Rgb.Mix(Rgb.Hex(0x2f5d73), Rgb.Hex(0x5f97a8), Grain.Fractal(x * 40, y * 90, 3)) * (0.8 + 0.2 * (1 - river));
        if (river < 1.25)
            return Rgb.Hex(0xb3a57c) * speckle;
        var wood = Grain.Fractal(x * 7 + 3, y * 7, 4);
        if (wood > 0.6)
            return Rgb.Mix(Rgb.Hex(0x1d3a1c), Rgb.Hex(0x4f7d38), Grain.Fractal(x * 75, y * 75, 3) * 1.7 - 0.4);
        return Field(x, y) * speckle;
    }

    private static Rgb Field(double x, double y)
    {
        // Parcels of a crooked grid, each ploughed in its own direction.
        double u = x * 9 + 0.8 * Grain.At(x * 4, y * 4), v = y * 7 + 0.8 * Grain.At(y * 4 + 9, x * 4);
        int column = (int)Math.Floor(u), row = (int)Math.Floor(v);
        double edge = Math.Min(Math.Min(u - column, column + 1 - u) / 9, Math.Min(v - row, row + 1 - v) / 7);
        if (edge < 0.0022)
            return Rgb.Hex(0x42562d);
        var crop = Rgb.Hex(Crops[(int)(Grain.Cell(column, row) * Crops.Length * 0.999)]);
        var angle = Grain.Cell(column + 50, row) * Math.PI;
        var furrow = Math.Sin((x * Math.Cos(angle) + y * Math.Sin(angle)) * 700);
        return crop * (0.95 + 0.07 * furrow * Grain.Cell(column, row + 50) + 0.2 * (Grain.Fractal(x * 12, y * 12, 3) - 0.5));
    }

    private static Rgb RoadColour(double distance, double along, double speckle)
    {
        if (distance > 0.0085)
            return Rgb.Hex(0x8f8a70) * speckle;
        var marked = distance > 0.0070 || distance < 0.0007 && along * 60 % 1 < 0.5;
        return marked && distance < 0.0078 ? Rgb.Hex(0xe6e2d4) : Rgb.Hex(0x62646a) * (0.6 + speckle * 0.4);
    }

    private static double RoadDistance(double x, double y, out double angle)
    {
        angle = Math.Atan2(y - 0.5, x - 0.5);
        var (rx, ry) = Road(angle);
        // Across, not outward: the ring's slope makes the way out longer than the way across.
        var (nx, ny) = Road(angle + 0.001);
        double dx = nx - rx, dy = ny - ry, length = Math.Sqrt(dx * dx + dy * dy);
        if (angle < 0)
            angle += 2 * Math.PI;
        return Math.Abs((x - rx) * dy - (y - ry) * dx) / length;
    }

    private static void House(Painter p, int number)
    {
        var angle = number * 2 * Math.PI / 46 + 0.1 * Grain.Cell(number, 7);
        var (rx, ry) = Road(angle);
        var away = (number % 2 == 0 ? 1 : -1) * (0.022 + 0.014 * Grain.Cell(number, 8));
        double x = rx + Math.Cos(angle) * away, y = ry + Math.Sin(angle) * away;
        double half = 0.007 + 0.004 * Grain.Cell(number, 9), depth = half * 0.7;
        var roof = Rgb.Hex(Roofs[number % Roofs.Length]);
        double cos = Math.Cos(angle), sin = Math.Sin(angle);
        // Shadow first, then the two slopes of the roof.
        Slab(p, x + 0.004, y + 0.004, half, -depth, depth, cos, sin, new(0.1, 0.12, 0.08));
        Slab(p, x, y, half, -depth, 0, cos, sin, roof);
        Slab(p, x, y, half, 0, depth, cos, sin, roof * 0.72);
        for (var i = 0; i < 5; i++)
        {
            double tx = x + 0.022 * (Grain.Cell(number, 20 + i) - 0.5) * 2, ty = y + 0.022 * (Grain.Cell(number, 30 + i) - 0.5) * 2;
            if (RoadDistance(tx, ty, out _) < 0.014)
                continue;
            var radius = 0.0026 + 0.002 * Grain.Cell(number, 40 + i);
            p.Ellipse(tx + 0.0018, ty + 0.0018, radius, radius, new(0.08, 0.12, 0.06), 0.6);
            p.Ellipse(tx, ty, radius, radius, Rgb.Hex(0x3a6130));
            p.Ellipse(tx - radius * 0.3, ty - radius * 0.3, radius * 0.5, radius * 0.5, Rgb.Hex(0x6f9a4c));
        }
    }

    private static void Slab(Painter p, double x, double y, double half, double near, double far, double cos, double sin, Rgb colour) =>
        p.Polygon(
        [
            (x - half * sin + near * cos, y + half * cos + near * sin), (x + half * sin + near * cos, y - half * cos + near * sin),
            (x + half * sin + far * cos, y - half * cos + far * sin), (x - half * sin + far * cos, y + half * cos + far * sin),
        ], colour);
}
