using CmvcStream.Core.Codec;
using CmvcStream.Core.Media;

namespace CmvcStream.Core.Text;

/// <summary>
/// The camera's motion in words, from how blocks of a luma thumbnail move between frames: the median of the blocks is the camera,
/// what differs is an object. A camera that pans left sees its content move right.
/// </summary>
internal sealed class CameraMotion
{
    private const int Width = 96, Height = 54, Block = 12, Range = 5;

    // Thumbnail pixels a frame, smoothed: a fiftieth of the picture's width a second at 15 frames/s.
    private const float Slow = 0.14f, Fast = 1.2f, Stop = 0.08f, ZoomFrom = 0.0018f;

    private readonly PlaneReducer _reducer = new();
    private byte[] _previous = new byte[Width * Height], _current = new byte[Width * Height];
    private readonly List<float> _xs = [], _ys = [], _zooms = [];
    private bool _primed;
    private float _x, _y, _zoom;
    private string _word = "camera still";

    public void Reset()
    {
        _primed = false;
        (_x, _y, _zoom) = (0, 0, 0);
        _word = "camera still";
    }

    public string Observe(VideoFrame frame)
    {
        (_previous, _current) = (_current, _previous);
        _reducer.Reduce(frame.Y, _current, Width, Height);
        if (!_primed)
        {
            _primed = true;
            return _word;
        }

        Measure();
        return _word = Word();
    }

    private void Measure()
    {
        _xs.Clear();
        _ys.Clear();
        _zooms.Clear();
        for (var by = Range; by + Block + Range <= Height; by += 8)
            for (var bx = Range; bx + Block + Range <= Width; bx += 8)
            {
                if (!Match(bx, by, out var dx, out var dy))
                    continue;
                _xs.Add(dx);
                _ys.Add(dy);
            }

        // Too little texture says nothing: the old verdict fades.
        if (_xs.Count < 6)
        {
            (_x, _y, _zoom) = (_x * 0.9f, _y * 0.9f, _zoom * 0.9f);
            return;
        }

        float mx = Median(_xs), my = Median(_ys);
        Zooms(mx, my);
        _x += (mx - _x) * 0.2f;
        _y += (my - _y) * 0.2f;
        _zoom += ((_zooms.Count >= 6 ? Median(_zooms) : 0) - _zoom) * 0.2f;
    }

    /// <summary>Radial part of each block's motion, relative to its distance from the centre.</summary>
    private void Zooms(float mx, float my)
    {
        for (var by = Range; by + Block + Range <= Height; by += 8)
            for (var bx = Range; bx + Block + Range <= Width; bx += 8)
            {
                float rx = bx + Block / 2f - Width / 2f, ry = by + Block / 2f - Height / 2f, r2 = rx * rx + ry * ry;
                if (r2 < 200 || !Match(bx, by, out var dx, out var dy))
                    continue;
                _zooms.Add(((dx - mx) * rx + (dy - my) * ry) / r2);
            }
    }

    /// <summary>Where a block of the previous thumbnail went, to a fraction of a pixel; false where it has no texture or no match.</summary>
    private bool Match(int bx, int by, out float dx, out float dy)
    {
        (dx, dy) = (0, 0);
        if (Texture(bx, by) < Block * Block * 3)
            return false;
        int best = int.MaxValue, mx = 0, my = 0;
        for (var y = -Range; y <= Range; y++)
            for (var x = -Range; x <= Range; x++)
            {
                var cost = Difference(bx, by, x, y) + Math.Abs(x) + Math.Abs(y);
                if (cost < best)
                    (best, mx, my) = (cost, x, y);
            }

        if (best > Block * Block * 14)
            return false;
        dx = mx + Fraction(Difference(bx, by, mx - 1, my), best, Difference(bx, by, mx + 1, my));
        dy = my + Fraction(Difference(bx, by, mx, my - 1), best, Difference(bx, by, mx, my + 1));
        return true;
    }

    /// <summary>Vertex of the V through three differences.</summary>
    private static float Fraction(int before, int at, int after)
    {
        var slope = Math.Max(before, after) - at;
        return slope <= 0 ? 0 : Math.Clamp((before - after) / (2f * slope), -0.5f, 0.5f);
    }

    private int Texture(int bx, int by)
    {
        var sum = 0;
        for (var y = by; y < by + Block; y++)
            for (var x = bx; x < bx + Block; x++)
                sum += Math.Abs(_previous[y * Width + x + 1] - _previous[y * Width + x]) + Math.Abs(_previous[(y + 1) * Width + x] - _previous[y * Width + x]);
        return sum;
    }

    private int Difference(int bx, int by, int dx, int dy)
    {
        if (bx + dx < 0 || by + dy < 0 || bx + dx + Block > Width || by + dy + Block > Height)
            return int.MaxValue / 4;
        var sum = 0;
        for (var y = 0; y < Block; y++)
        {
            var p = _previous.AsSpan((by + y) * Width + bx, Block);
            var c = _current.AsSpan((by + y + dy) * Width + bx + dx, Block);
            for (var x = 0; x < Block; x++)
                sum += Math.Abs(p[x] - c[x]);
        }

        return sum;
    }

    private string Word()
    {
        float ax = MathF.Abs(_x), ay = MathF.Abs(_y), threshold = _word == "camera still" ? Slow : Stop;
        if (MathF.Abs(_zoom) > ZoomFrom && MathF.Abs(_zoom) * 30 > MathF.Max(ax, ay))
            return _zoom > 0 ? "camera zooms in" : "camera zooms out";
        if (MathF.Max(ax, ay) < threshold)
            return "camera still";
        var fast = MathF.Max(ax, ay) > Fast ? " fast" : "";
        return ax >= ay
            ? (_x > 0 ? "camera pans left" : "camera pans right") + fast
            : (_y > 0 ? "camera tilts up" : "camera tilts down") + fast;
    }

    private static float Median(List<float> values)
    {
        values.Sort();
        return values[values.Count / 2];
    }
}
