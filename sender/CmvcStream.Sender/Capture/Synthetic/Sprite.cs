using CmvcStream.Core.Media;

namespace CmvcStream.Sender.Capture.Synthetic;

/// <summary>A small picture with transparency that is drawn at any place, between pixels too, turned and scaled.</summary>
public sealed class Sprite(int width, int height)
{
    // Y, U, V and A a pixel, the first three already multiplied by A; a transparent rim makes the edges smooth.
    private readonly int _stride = (width + 2) * 4;
    private readonly byte[] _pixels = new byte[(width + 2) * 4 * (height + 2)];

    public int Width => width;

    public int Height => height;

    public void Set(int x, int y, Rgb colour, double alpha)
    {
        var (luma, u, v) = colour.ToYuv();
        var p = _pixels.AsSpan((y + 1) * _stride + (x + 1) * 4, 4);
        (p[0], p[1], p[2], p[3]) = ((byte)(luma * alpha + 0.5), (byte)(u * alpha + 0.5), (byte)(v * alpha + 0.5), (byte)(255 * alpha + 0.5));
    }

    /// <summary>Draws the sprite with its centre at a place in luma pixels (0, 0 is the outer corner of the first pixel).</summary>
    /// <param name="frame">Where to draw; parts outside it are left out.</param>
    /// <param name="centreX">Pixels from the left.</param>
    /// <param name="centreY">Pixels from the top.</param>
    /// <param name="scale">1 is as large as it was painted.</param>
    /// <param name="angle">Radians, clockwise.</param>
    public void Draw(VideoFrame frame, double centreX, double centreY, double scale = 1, double angle = 0)
    {
        ArgumentNullException.ThrowIfNull(frame);
        Draw(frame.Y, null, centreX, centreY, scale, angle);
        Draw(frame.U, frame.V, centreX / 2, centreY / 2, scale / 2, angle);
    }

    private void Draw(Plane first, Plane? second, double centreX, double centreY, double scale, double angle)
    {
        double cos = Math.Cos(angle), sin = Math.Sin(angle);
        double reachX = (Math.Abs(cos) * width + Math.Abs(sin) * height) / 2 * scale + 1;
        double reachY = (Math.Abs(sin) * width + Math.Abs(cos) * height) / 2 * scale + 1;
        int x0 = Math.Max(0, (int)Math.Floor(centreX - reachX)), x1 = Math.Min(first.Width, (int)Math.Ceiling(centreX + reachX));
        int y0 = Math.Max(0, (int)Math.Floor(centreY - reachY)), y1 = Math.Min(first.Height, (int)Math.Ceiling(centreY + reachY));
        // Steps through the sprite, in 1/65536 of its pixels, for one pixel to the right.
        int stepU = (int)(cos / scale * 65536), stepV = (int)(-sin / scale * 65536);
        for (var y = y0; y < y1; y++)
        {
            double dx = x0 + 0.5 - centreX, dy = y + 0.5 - centreY;
            // The rim shifts by one pixel, pixel centres by a half.
            var u = (int)(((dx * cos + dy * sin) / scale + width / 2.0 + 0.5) * 65536);
            var v = (int)(((dy * cos - dx * sin) / scale + height / 2.0 + 0.5) * 65536);
            var row = first.Row(y);
            var other = second is { } plane ? plane.Row(y) : default;
            for (var x = x0; x < x1; x++, u += stepU, v += stepV)
            {
                if ((uint)u >= (uint)(width + 1) << 16 || (uint)v >= (uint)(height + 1) << 16)
                    continue;
                var at = (v >> 16) * _stride + (u >> 16) * 4;
                int fx = u >> 8 & 255, fy = v >> 8 & 255;
                var alpha = Sample(at + 3, fx, fy);
                if (alpha < 64)
                    continue;
                var rest = 255 * 256 - alpha;
                if (other.IsEmpty)
                {
                    row[x] = Over(row[x], rest, Sample(at, fx, fy));
                }
                else
                {
                    row[x] = Over(row[x], rest, Sample(at + 1, fx, fy));
                    other[x] = Over(other[x], rest, Sample(at + 2, fx, fy));
                }
            }
        }
    }

    // Bilinear; the result is in 1/256.
    private int Sample(int at, int fx, int fy)
    {
        var above = _pixels[at] * (256 - fx) + _pixels[at + 4] * fx;
        var below = _pixels[at + _stride] * (256 - fx) + _pixels[at + _stride + 4] * fx;
        return (above * (256 - fy) + below * fy) >> 8;
    }

    private static byte Over(int under, int rest, int over) => (byte)Math.Min(255, (under * rest / 255 + over + 128) >> 8);
}
