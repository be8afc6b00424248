using CmvcStream.Core.Media;

namespace CmvcStream.Sender.Capture.Synthetic;

/// <summary>
/// A drone follows a red car along a ring road: the whole picture pans, turns and zooms over textured land, while the car and
/// other traffic move within it.
/// </summary>
public sealed class DroneScene : ISyntheticScene
{
    // Radians of the ring road a second: the round takes 105 s.
    private const double TargetSpeed = 0.06;

    private readonly PixelSize _size;
    private readonly int _side;
    private readonly VideoFrame _map;
    private readonly double _carScale;
    private readonly (Sprite Sprite, double Start, double Speed)[] _traffic;

    public DroneScene(PixelSize size)
    {
        _size = size;
        // About one map pixel a picture pixel; large pictures get a softer map rather than a wait of seconds.
        _side = Math.Min(2048, 4 * Math.Max(size.Height, size.Width * 9 / 16));
        _map = DroneMap.Paint(_side);
        // Painted at twice the size at which it is mostly shown, since it is turned and scaled.
        var unit = _side * 0.018 * 2;
        _carScale = 1 / 2.0;
        _traffic =
        [
            (Car(unit, 0xc4281f), 0, TargetSpeed),
            (Car(unit, 0xe9e7e0), 0.55, TargetSpeed * 0.8),
            (Car(unit, 0x2c4f8c), 1.1, -TargetSpeed * 1.1),
            (Car(unit, 0x3a3d42), 3.0, -TargetSpeed * 0.9),
            (Car(unit, 0xd6a52b), 4.4, -TargetSpeed * 1.2),
        ];
    }

    public void Render(VideoFrame frame, MediaTime time)
    {
        ArgumentNullException.ThrowIfNull(frame);
        var t = time.Seconds;
        var (targetX, targetY) = DroneMap.Road(TargetSpeed * t);
        // The pilot keeps the car near the middle, not in it.
        var view = new View(
            (targetX + 0.030 * Math.Sin(0.45 * t)) * _side,
            (targetY + 0.022 * Math.Sin(0.62 * t + 1)) * _side,
            0.30 * Math.Sin(0.17 * t),
            1.0 + 0.32 * Math.Sin(0.27 * t - 0.6));
        Sample(_map.Y, frame.Y, view, 1);
        Sample(_map.U, frame.U, view, 2);
        Sample(_map.V, frame.V, view, 2);
        foreach (var (sprite, start, speed) in _traffic)
            DrawCar(frame, view, sprite, start + speed * t, speed > 0);
    }

    private void DrawCar(VideoFrame frame, View view, Sprite sprite, double angle, bool forward)
    {
        var (x, y) = DroneMap.Road(angle);
        var (aheadX, aheadY) = DroneMap.Road(angle + 0.002);
        double dx = aheadX - x, dy = aheadY - y, length = Math.Sqrt(dx * dx + dy * dy);
        // Each keeps to its right.
        var side = (forward ? 1 : -1) * 0.0036 / length;
        double mapX = (x - dy * side) * _side - view.X, mapY = (y + dx * side) * _side - view.Y;
        double cos = Math.Cos(view.Angle), sin = Math.Sin(view.Angle);
        var heading = Math.Atan2(dy, dx) + (forward ? 0 : Math.PI);
        sprite.Draw(
            frame,
            _size.Width / 2.0 + (mapX * cos + mapY * sin) / view.Scale,
            _size.Height / 2.0 + (mapY * cos - mapX * sin) / view.Scale,
            _carScale / view.Scale,
            heading - view.Angle);
    }

    /// <summary>Turns and scales a plane of the map into the picture, bilinearly, in steps of 1/65536.</summary>
    private static void Sample(Plane map, Plane picture, View view, int coarse)
    {
        double cos = Math.Cos(view.Angle) * view.Scale, sin = Math.Sin(view.Angle) * view.Scale;
        int stepX = (int)(cos * 65536), stepY = (int)(sin * 65536);
        int limitX = map.Width - 2 << 16, limitY = map.Height - 2 << 16;
        var source = map.Buffer.AsSpan(map.Offset);
        for (var row = 0; row < picture.Height; row++)
        {
            double left = 0.5 - picture.Width / 2.0, down = row + 0.5 - picture.Height / 2.0;
            var x = (int)((view.X / coarse + left * cos - down * sin - 0.5) * 65536);
            var y = (int)((view.Y / coarse + left * sin + down * cos - 0.5) * 65536);
            foreach (ref var pixel in picture.Row(row))
            {
                int cx = Math.Clamp(x, 0, limitX), cy = Math.Clamp(y, 0, limitY);
                var at = (cy >> 16) * map.Stride + (cx >> 16);
                int fx = cx >> 8 & 255, fy = cy >> 8 & 255;
                var above = source[at] * (256 - fx) + source[at + 1] * fx;
                var below = source[at + map.Stride] * (256 - fx) + source[at + map.Stride + 1] * fx;
                pixel = (byte)(above * (256 - fy) + below * fy + 32768 >> 16);
                x += stepX;
                y += stepY;
            }
        }
    }

    // A car from above, one unit long, that faces right.
    private static Sprite Car(double unit, int paint)
    {
        var colour = Rgb.Hex(paint);
        var p = new Painter((int)(unit * 1.2), (int)(unit * 0.7), unit);
        p.Ellipse(0.63, 0.38, 0.53, 0.27, new(0.08, 0.09, 0.08), 0.5);
        p.Line(0.29, 0.32, 0.87, 0.32, 0.2, colour * 0.85);
        p.Line(0.29, 0.31, 0.87, 0.31, 0.17, colour);
        p.Rectangle(0.66, 0.17, 0.80, 0.45, Rgb.Hex(0x222c35));
        p.Rectangle(0.22, 0.19, 0.30, 0.43, Rgb.Hex(0x222c35));
        p.Rectangle(0.34, 0.17, 0.62, 0.45, colour * 1.12);
        return p.ToSprite();
    }

    /// <param name="X">Map pixel in the middle of the picture.</param>
    /// <param name="Y">Map pixel in the middle of the picture.</param>
    /// <param name="Angle">Radians by which the camera is turned clockwise.</param>
    /// <param name="Scale">Map pixels a picture pixel.</param>
    private readonly record struct View(double X, double Y, double Angle, double Scale);
}
