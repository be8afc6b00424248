using CmvcStream.Core.Media;

namespace CmvcStream.Sender.Capture.Synthetic;

/// <summary>What stands still in the street: sky, houses, pavement, road. One unit is the picture's height.</summary>
internal static class StreetBackdrop
{
    public const double HousesEnd = 0.60, RoadStart = 0.665, RoadEnd = 0.90;

    private static readonly Noise Grain = new(11);

    private static readonly int[] Walls = [0xb8674a, 0xd9c7a0, 0x8f9aa3, 0xc98f6b, 0xa3b18a, 0xe0d6c8, 0x9c5545];

    private static readonly int[] Awnings = [0xb23a48, 0x2f6f4f, 0x33658a, 0xd08c2d];

    public static VideoFrame Paint(PixelSize size)
    {
        var p = new Painter(size.Width, size.Height, size.Height);
        var width = (double)size.Width / size.Height;
        p.Paint(0, 0, width, HousesEnd, (x, y) => Sky(x, y));
        p.Paint(0, 0.3, width, HousesEnd, (x, y) =>
            y > 0.42 - 0.1 * Grain.Fractal(x * 2.5, 3, 4) ? Rgb.Hex(0x7d98a8) * (0.9 + 0.2 * Grain.At(x * 60, y * 60)) : null);
        var number = 0;
        for (var left = -0.05; left < width; number++)
        {
            var right = left + 0.24 + 0.16 * Grain.Cell(number, 1);
            // A gap between the houses now and then shows the hills.
            if (number % 4 != 3)
                House(p, left, right, 0.10 + 0.17 * Grain.Cell(number, 2), number);
            left = number % 4 == 3 ? left + 0.1 : right;
        }

        Pavement(p, 0, width, HousesEnd, RoadStart, 0.05);
        p.Paint(0, RoadStart, width, RoadEnd, (x, y) => Rgb.Hex(0x55585c) * (0.75 + 0.3 * Grain.Fractal(x * 40, y * 120, 4) + 0.2 * Grain.At(x * 3, y * 9)));
        p.Rectangle(0, RoadStart, width, RoadStart + 0.006, Rgb.Hex(0xc9c5bc));
        p.Rectangle(0, RoadEnd - 0.008, width, RoadEnd, Rgb.Hex(0xc9c5bc));
        for (var x = 0.03; x < width; x += 0.22)
            p.Rectangle(x, 0.773, x + 0.12, 0.782, Rgb.Hex(0xe8e6dc));
        Pavement(p, 0, width, RoadEnd, 1, 0.09);
        return p.ToFrame();
    }

    /// <summary>A tree with its trunk's foot in the middle of the lower edge.</summary>
    public static Sprite Tree(double unit, double height)
    {
        var width = height * 0.7;
        var p = new Painter((int)(width * unit), (int)(height * unit), unit);
        p.Line(width / 2, height, width / 2, height * 0.4, height * 0.025, Rgb.Hex(0x5b4636));
        p.Paint(0, 0, width, height * 0.7, (x, y) =>
        {
            double dx = (x - width / 2) / (width * 0.48), dy = (y - height * 0.34) / (height * 0.33);
            var edge = 0.72 + 0.5 * Grain.Fractal(x / height * 9, y / height * 9, 3) - 0.22;
            var leaf = Grain.Fractal(x / height * 22 + 9, y / height * 22, 3);
            return dx * dx + dy * dy < edge ? Rgb.Mix(Rgb.Hex(0x27451f), Rgb.Hex(0x7da64a), leaf * 1.3 - 0.25 - dy * 0.25) : null;
        });
        return p.ToSprite();
    }

    /// <summary>A street lamp with its foot in the middle of the lower edge.</summary>
    public static Sprite Lamp(double unit, double height)
    {
        var width = height * 0.2;
        var p = new Painter((int)(width * unit), (int)(height * unit), unit);
        var iron = Rgb.Hex(0x2c3136);
        p.Rectangle(width * 0.44, height * 0.06, width * 0.56, height, iron);
        p.Rectangle(width * 0.38, height * 0.9, width * 0.62, height, iron);
        p.Line(width * 0.5, height * 0.07, width * 0.85, height * 0.04, width * 0.05, iron);
        p.Ellipse(width * 0.85, height * 0.055, width * 0.13, height * 0.018, Rgb.Hex(0xf4ecc8));
        return p.ToSprite();
    }

    private static Rgb Sky(double x, double y)
    {
        var blue = Rgb.Mix(Rgb.Hex(0x5d93cf), Rgb.Hex(0xdfeaf2), y / 0.45);
        var cloud = Math.Clamp((Grain.Fractal(x * 2.2, y * 6, 5) - 0.48) * 4, 0, 1);
        return Rgb.Mix(blue, Rgb.Hex(0xfafafa), cloud * 0.85);
    }

    private static void Pavement(Painter p, double left, double right, double top, double bottom, double slab) =>
        p.Paint(left, top, right, bottom, (x, y) =>
        {
            // Joints lean toward the middle, as they do in perspective.
            var along = x + (x - (right - left) / 2) * (y - top) * 2;
            var cell = along / slab;
            var joint = cell - Math.Floor(cell) < 0.06 || (y - top) % (slab * 0.55) < 0.003;
            var tone = 0.86 + 0.12 * Grain.Cell((int)Math.Floor(cell), (int)((y - top) / (slab * 0.55))) + 0.12 * Grain.Fractal(x * 60, y * 90, 3);
            return Rgb.Hex(0xb3aca2) * (joint ? tone * 0.75 : tone * 0.95);
        });

    private static void House(Painter p, double left, double right, double top, int number)
    {
        var wall = Rgb.Hex(Walls[number % Walls.Length]);
        var bricks = number % 2 == 0;
        p.Paint(left, top, right, HousesEnd, (x, y) => wall * (Wall(x, y, bricks) * (0.92 + 0.12 * Grain.Fractal(x * 7, y * 7, 3))));
        p.Rectangle(left - 0.008, top - 0.012, right + 0.008, top + 0.008, wall * 0.62);
        p.Rectangle(right - 0.012, top, right, HousesEnd, wall * 0.72, 0.6);
        var columns = Math.Max(2, (int)((right - left) / 0.085));
        var pitch = (right - left - 0.02) / columns;
        for (var row = 0; top + 0.075 + row * 0.095 < 0.47; row++)
        {
            for (var column = 0; column < columns; column++)
                Window(p, left + 0.01 + (column + 0.5) * pitch, top + 0.03 + row * 0.095, wall, Grain.Cell(number * 31 + column, row));
        }

        Shop(p, left + 0.015, right - 0.02, number);
    }

    private static double Wall(double x, double y, bool bricks)
    {
        if (!bricks)
            return 0.94 + 0.1 * Grain.At(x * 140, y * 140);
        var course = (int)Math.Floor(y / 0.012);
        var stone = x / 0.03 + (course & 1) * 0.5;
        var mortar = y / 0.012 - course < 0.2 || stone - Math.Floor(stone) < 0.08;
        return mortar ? 1.08 : 0.82 + 0.2 * Grain.Cell((int)Math.Floor(stone), course);
    }

    private static void Window(Painter p, double centre, double top, Rgb wall, double luck)
    {
        const double Half = 0.022, Height = 0.058;
        p.Rectangle(centre - Half - 0.005, top - 0.005, centre + Half + 0.005, top + Height + 0.005, Rgb.Mix(wall, new(1, 1, 1), 0.55));
        var glass = luck > 0.8 ? Rgb.Hex(0xf2d38a) : Rgb.Hex(0x2e3f50);
        p.Paint(centre - Half, top, centre + Half, top + Height, (x, y) =>
            glass * (0.85 + 0.6 * Math.Max(0, 0.5 - Math.Abs((x - centre) / Half + (y - top) / Height * 2 - 1 - luck))));
        p.Rectangle(centre - 0.0025, top, centre + 0.0025, top + Height, Rgb.Hex(0xe9e4da));
        p.Rectangle(centre - Half, top + Height * 0.42, centre + Half, top + Height * 0.42 + 0.004, Rgb.Hex(0xe9e4da));
        p.Rectangle(centre - Half - 0.008, top + Height + 0.004, centre + Half + 0.008, top + Height + 0.011, wall * 0.7);
    }

    private static void Shop(Painter p, double left, double right, int number)
    {
        var awning = Rgb.Hex(Awnings[number % Awnings.Length]);
        p.Rectangle(left, 0.51, right, HousesEnd, Rgb.Hex(0x33302d));
        p.Paint(left + 0.008, 0.518, right - 0.06, 0.588, (x, y) =>
            Rgb.Mix(Rgb.Hex(0x4a5f6e), Rgb.Hex(0xd8b56a), Grain.Fractal(x * 30 + number, y * 30, 3)));
        p.Rectangle(right - 0.05, 0.52, right - 0.012, HousesEnd, awning * 0.6);
        p.Rectangle(right - 0.044, 0.53, right - 0.018, 0.565, Rgb.Hex(0x7f97a6));
        p.Paint(left - 0.006, 0.492, right + 0.006, 0.522, (x, y) =>
            y < 0.514 + 0.006 * Math.Sin(x * 260) ? ((int)Math.Floor(x / 0.018) & 1) == 0 ? awning : Rgb.Hex(0xf0ebe0) : null);
    }
}
