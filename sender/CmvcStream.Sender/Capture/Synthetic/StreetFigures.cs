namespace CmvcStream.Sender.Capture.Synthetic;

/// <summary>Cars, a bus, people; each stands on the lower edge of its sprite and faces right.</summary>
internal static class StreetFigures
{
    /// <summary>Pictures of a whole stride.</summary>
    public const int Strides = 12;

    /// <summary>Pictures of a wheel's turn from one spoke to the next.</summary>
    public const int Turns = 4;

    /// <param name="unit">Pixels a unit.</param>
    /// <param name="length">Units.</param>
    /// <param name="paint">Colour of the body.</param>
    /// <param name="right">It faces right; else it is mirrored.</param>
    public static Sprite Car(double unit, double length, Rgb paint, bool right)
    {
        var height = length * 0.40;
        var p = new Painter((int)(length * unit), (int)(height * unit), unit * length);
        double X(double x) => right ? x : 1 - x;
        p.Ellipse(0.5, 0.375, 0.48, 0.024, new(0.05, 0.05, 0.06), 0.55);
        Polygon(p, X, paint * 0.9, (0.20, 0.17), (0.30, 0.035), (0.42, 0.015), (0.60, 0.02), (0.68, 0.05), (0.78, 0.17));
        Polygon(p, X, Rgb.Hex(0x26333d), (0.245, 0.165), (0.32, 0.055), (0.475, 0.04), (0.475, 0.165));
        Polygon(p, X, Rgb.Hex(0x31424f), (0.50, 0.165), (0.50, 0.04), (0.60, 0.045), (0.65, 0.065), (0.73, 0.165));
        Polygon(p, X, Rgb.Hex(0x6f8796), (0.56, 0.165), (0.58, 0.045), (0.60, 0.045), (0.61, 0.165));
        p.Paint(0.015, 0.15, 0.985, 0.33, (x, y) =>
        {
            // A rounded body, lighter above the crease and darker toward the sill.
            double dx = Math.Max(0, Math.Abs(x - 0.5) - 0.42) / 0.065, dy = Math.Max(0, Math.Abs(y - 0.24) - 0.03) / 0.06;
            return dx * dx + dy * dy > 1 ? null : paint * (y < 0.215 ? 1.15 : 1.0 - (y - 0.215) * 2.4);
        });
        p.Line(0.49, 0.17, 0.485, 0.30, 0.003, paint * 0.55);
        p.Rectangle(Math.Min(X(0.42), X(0.46)), 0.205, Math.Max(X(0.42), X(0.46)), 0.217, paint * 0.5);
        p.Ellipse(X(0.955), 0.215, 0.022, 0.022, Rgb.Hex(0xfff3cf));
        p.Ellipse(X(0.03), 0.21, 0.014, 0.024, Rgb.Hex(0xc81e1e));
        p.Ellipse(X(0.22), 0.305, 0.083, 0.083, Rgb.Hex(0x15171a));
        p.Ellipse(X(0.78), 0.305, 0.083, 0.083, Rgb.Hex(0x15171a));
        return p.ToSprite();
    }

    public static Sprite Bus(double unit, double length, Rgb paint, bool right)
    {
        var height = length * 0.36;
        var p = new Painter((int)(length * unit), (int)(height * unit), unit * length);
        double X(double x) => right ? x : 1 - x;
        p.Ellipse(0.5, 0.343, 0.49, 0.016, new(0.05, 0.05, 0.06), 0.55);
        p.Paint(0.01, 0.02, 0.99, 0.315, (x, y) =>
        {
            double dx = Math.Max(0, Math.Abs(x - 0.5) - 0.465) / 0.025, dy = Math.Max(0, Math.Abs(y - 0.1675) - 0.1225) / 0.025;
            if (dx * dx + dy * dy > 1)
                return null;
            return y is > 0.195 and < 0.22 ? Rgb.Hex(0xf3efe4) : paint * (1.08 - y * 0.9);
        });
        for (var i = 0; i < 7; i++)
        {
            var left = X(0.06 + i * 0.115 + (right ? 0 : 0.1));
            p.Rectangle(left, 0.065, left + 0.1, 0.165, Rgb.Hex(0x27343e));
            // Passengers.
            if (i % 3 != 1)
                p.Ellipse(left + 0.05, 0.14, 0.02, 0.027, Rgb.Hex(0x7a5a48));
            p.Rectangle(left, 0.065, left + 0.1, 0.09, Rgb.Hex(0x4c606e), 0.6);
        }

        p.Rectangle(Math.Min(X(0.88), X(0.965)), 0.06, Math.Max(X(0.88), X(0.965)), 0.19, Rgb.Hex(0x35485a));
        p.Ellipse(X(0.97), 0.27, 0.012, 0.017, Rgb.Hex(0xfff3cf));
        p.Ellipse(X(0.02), 0.26, 0.008, 0.02, Rgb.Hex(0xc81e1e));
        p.Ellipse(X(0.2), 0.30, 0.05, 0.05, Rgb.Hex(0x15171a));
        p.Ellipse(X(0.78), 0.30, 0.05, 0.05, Rgb.Hex(0x15171a));
        return p.ToSprite();
    }

    /// <summary>The hub of a wheel with five spokes, in <see cref="Turns"/> positions.</summary>
    public static Sprite[] Wheel(double unit, double radius)
    {
        var turns = new Sprite[Turns];
        for (var i = 0; i < Turns; i++)
        {
            var pixels = (int)Math.Ceiling(2.2 * radius * unit);
            double centre = pixels / unit / 2, angle = i * 2 * Math.PI / 5 / Turns;
            var p = new Painter(pixels, pixels, unit);
            p.Ellipse(centre, centre, radius, radius, Rgb.Hex(0x1b1d20));
            p.Ellipse(centre, centre, radius * 0.68, radius * 0.68, Rgb.Hex(0x60656b));
            for (var spoke = 0; spoke < 5; spoke++)
            {
                var a = angle + spoke * 2 * Math.PI / 5;
                p.Line(centre, centre, centre + Math.Cos(a) * radius * 0.6, centre + Math.Sin(a) * radius * 0.6, radius * 0.1, Rgb.Hex(0xd9dcdf));
            }

            turns[i] = p.ToSprite();
        }

        return turns;
    }

    /// <summary>Somebody who walks, in <see cref="Strides"/> positions of the stride.</summary>
    public static Sprite[] Walker(double unit, double height, Rgb coat, Rgb trousers, Rgb hair, bool right)
    {
        var strides = new Sprite[Strides];
        for (var i = 0; i < Strides; i++)
            strides[i] = Walker(unit * height, Math.Sin(2 * Math.PI * i / Strides), Math.Cos(2 * Math.PI * i / Strides), coat, trousers, hair, right ? 1 : -1);
        return strides;
    }

    private static Sprite Walker(double unit, double swing, double lift, Rgb coat, Rgb trousers, Rgb hair, int way)
    {
        const double Width = 0.46, Middle = Width / 2;
        var p = new Painter((int)Math.Ceiling(Width * unit), (int)Math.Ceiling(unit), unit);
        var skin = Rgb.Hex(0xd2a07c);
        var bob = -0.012 * Math.Abs(swing);
        p.Ellipse(Middle, 0.982, 0.17, 0.016, new(0.05, 0.05, 0.06), 0.5);
        Limb(p, Middle, 0.53 + bob, -swing, -lift, trousers * 0.75, way);
        Arm(p, Middle, 0.24 + bob, swing, coat * 0.72, skin * 0.85, way);
        p.Line(Middle, 0.25 + bob, Middle, 0.50 + bob, 0.082, coat);
        p.Line(Middle - 0.03 * way, 0.24 + bob, Middle - 0.03 * way, 0.5 + bob, 0.045, coat * 0.88);
        Limb(p, Middle, 0.53 + bob, swing, lift, trousers, way);
        p.Line(Middle, 0.16 + bob, Middle, 0.19 + bob, 0.03, skin * 0.9);
        p.Ellipse(Middle + 0.006 * way, 0.095 + bob, 0.058, 0.07, skin);
        p.Ellipse(Middle - 0.012 * way, 0.072 + bob, 0.062, 0.056, hair);
        p.Ellipse(Middle + 0.03 * way, 0.112 + bob, 0.036, 0.044, skin);
        Arm(p, Middle, 0.24 + bob, -swing, coat * 1.1, skin, way);
        return p.ToSprite();
    }

    private static void Limb(Painter p, double x, double y, double swing, double lift, Rgb cloth, int way)
    {
        // The knee bends while the leg comes forward.
        double kneeX = x + way * (0.085 * swing + 0.02), kneeY = y + 0.2;
        double bend = Math.Max(0, lift) * 0.07;
        double footX = x + way * (0.165 * swing - bend), footY = 0.955 - bend * 0.7;
        p.Line(x, y - 0.02, kneeX, kneeY, 0.05, cloth);
        p.Line(kneeX, kneeY, footX, footY, 0.036, cloth * 0.94);
        p.Line(footX, footY + 0.012, footX + way * 0.055, footY + 0.016, 0.02, Rgb.Hex(0x231f1d));
    }

    private static void Arm(Painter p, double x, double y, double swing, Rgb cloth, Rgb skin, int way)
    {
        double elbowX = x + way * 0.06 * swing, elbowY = y + 0.14, handX = x + way * (0.13 * swing + 0.02), handY = y + 0.265;
        p.Line(x, y, elbowX, elbowY, 0.032, cloth);
        p.Line(elbowX, elbowY, handX, handY, 0.027, cloth);
        p.Ellipse(handX, handY + 0.02, 0.024, 0.026, skin);
    }

    private static void Polygon(Painter p, Func<double, double> mirror, Rgb colour, params (double X, double Y)[] corners) =>
        p.Polygon([.. corners.Select(c => (mirror(c.X), c.Y))], colour);
}
