using CmvcStream.Core.Media;

namespace CmvcStream.Sender.Capture.Synthetic;

/// <summary>Draws shapes with smooth edges, once, when a scene is set up. Coordinates are in units of <paramref name="unit"/> pixels.</summary>
/// <param name="width">Pixels.</param>
/// <param name="height">Pixels.</param>
/// <param name="unit">Pixels a unit.</param>
public sealed class Painter(int width, int height, double unit)
{
    // Two by two points a pixel make the edges smooth.
    private const int Fine = 2;
    private readonly byte[] _rgba = new byte[width * Fine * height * Fine * 4];

    /// <summary>Paints, within a box, every point for which there is a colour.</summary>
    public void Paint(double left, double top, double right, double bottom, Func<double, double, Rgb?> colourAt, double opacity = 1)
    {
        ArgumentNullException.ThrowIfNull(colourAt);
        var step = 1 / (unit * Fine);
        int x0 = Math.Max(0, (int)(left / step)), x1 = Math.Min(width * Fine, (int)Math.Ceiling(right / step));
        int y0 = Math.Max(0, (int)(top / step)), y1 = Math.Min(height * Fine, (int)Math.Ceiling(bottom / step));
        for (var y = y0; y < y1; y++)
        {
            for (var x = x0; x < x1; x++)
            {
                if (colourAt((x + 0.5) * step, (y + 0.5) * step) is { } colour)
                    Blend(_rgba.AsSpan((y * width * Fine + x) * 4, 4), colour, opacity);
            }
        }
    }

    /// <summary>Paints all of it, with one look at the colour a pixel: for large grounds that cost much to compute.</summary>
    public void Cover(Func<double, double, Rgb> colourAt)
    {
        ArgumentNullException.ThrowIfNull(colourAt);
        for (var y = 0; y < height; y++)
        {
            for (var x = 0; x < width; x++)
            {
                var colour = colourAt((x + 0.5) / unit, (y + 0.5) / unit);
                for (var i = 0; i < Fine * Fine; i++)
                    Blend(_rgba.AsSpan(((y * Fine + i / Fine) * width * Fine + x * Fine + i % Fine) * 4, 4), colour, 1);
            }
        }
    }

    public void Rectangle(double left, double top, double right, double bottom, Rgb colour, double opacity = 1) =>
        Paint(left, top, right, bottom, (x, y) => x >= left && x < right && y >= top && y < bottom ? colour : null, opacity);

    public void Ellipse(double x, double y, double radiusX, double radiusY, Rgb colour, double opacity = 1) =>
        Paint(x - radiusX, y - radiusY, x + radiusX, y + radiusY, (px, py) =>
        {
            double dx = (px - x) / radiusX, dy = (py - y) / radiusY;
            return dx * dx + dy * dy <= 1 ? colour : null;
        }, opacity);

    /// <summary>A thick line with round ends.</summary>
    public void Line(double x0, double y0, double x1, double y1, double radius, Rgb colour) =>
        Paint(Math.Min(x0, x1) - radius, Math.Min(y0, y1) - radius, Math.Max(x0, x1) + radius, Math.Max(y0, y1) + radius, (px, py) =>
        {
            double dx = x1 - x0, dy = y1 - y0;
            var along = Math.Clamp(((px - x0) * dx + (py - y0) * dy) / Math.Max(1e-12, dx * dx + dy * dy), 0, 1);
            double ex = px - x0 - along * dx, ey = py - y0 - along * dy;
            return ex * ex + ey * ey <= radius * radius ? colour : null;
        });

    public void Polygon(ReadOnlySpan<(double X, double Y)> corners, Rgb colour)
    {
        var p = corners.ToArray();
        Paint(p.Min(c => c.X), p.Min(c => c.Y), p.Max(c => c.X), p.Max(c => c.Y), (x, y) =>
        {
            var inside = false;
            for (int i = 0, j = p.Length - 1; i < p.Length; j = i++)
            {
                if (p[i].Y > y != p[j].Y > y && x < (p[j].X - p[i].X) * (y - p[i].Y) / (p[j].Y - p[i].Y) + p[i].X)
                    inside = !inside;
            }

            return inside ? colour : null;
        });
    }

    public Sprite ToSprite()
    {
        var sprite = new Sprite(width, height);
        for (var y = 0; y < height; y++)
        {
            for (var x = 0; x < width; x++)
            {
                var (colour, alpha) = Average(x, y);
                sprite.Set(x, y, colour, alpha);
            }
        }

        return sprite;
    }

    /// <summary>The picture as a frame; what was not painted is black.</summary>
    public VideoFrame ToFrame()
    {
        var frame = VideoFrame.Allocate(new(width, height));
        Span<double> u = stackalloc double[2], v = stackalloc double[2];
        for (var y = 0; y < height; y += 2)
        {
            for (var x = 0; x < width; x += 2)
            {
                double sumU = 0, sumV = 0;
                for (var i = 0; i < 4; i++)
                {
                    int px = Math.Min(width - 1, x + (i & 1)), py = Math.Min(height - 1, y + (i >> 1));
                    var yuv = Average(px, py).Colour.ToYuv();
                    frame.Y.Row(py)[px] = (byte)(yuv.Y + 0.5);
                    sumU += yuv.U;
                    sumV += yuv.V;
                }

                frame.U.Row(y / 2)[x / 2] = (byte)(sumU / 4 + 0.5);
                frame.V.Row(y / 2)[x / 2] = (byte)(sumV / 4 + 0.5);
            }
        }

        return frame;
    }

    private (Rgb Colour, double Alpha) Average(int x, int y)
    {
        double r = 0, g = 0, b = 0, a = 0;
        for (var i = 0; i < Fine * Fine; i++)
        {
            var p = _rgba.AsSpan(((y * Fine + i / Fine) * width * Fine + x * Fine + i % Fine) * 4, 4);
            r += p[0] * p[3];
            g += p[1] * p[3];
            b += p[2] * p[3];
            a += p[3];
        }

        return a == 0 ? (default, 0) : (new Rgb(r, g, b) * (1 / (a * 255)), a / (255 * Fine * Fine));
    }

    private static void Blend(Span<byte> pixel, Rgb colour, double opacity)
    {
        var part = pixel[3] == 0 ? 1 : opacity;
        pixel[0] = Toward(pixel[0], colour.R, part);
        pixel[1] = Toward(pixel[1], colour.G, part);
        pixel[2] = Toward(pixel[2], colour.B, part);
        pixel[3] = Toward(pixel[3], 1, opacity);
    }

    private static byte Toward(byte from, double to, double part) =>
        (byte)Math.Clamp(from + (to * 255 - from) * part + 0.5, 0, 255);
}
