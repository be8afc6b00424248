using CmvcStream.Core.Codec;
using CmvcStream.Core.Media;

namespace CmvcStream.Core.Text;

/// <summary>
/// The camera's motion in words, from how blocks at the left, right and upper border of a luma thumbnail move between frames: what moves
/// as their median does, with most of them, is the camera. Objects fill the middle and the foot of a picture (a speaker before an even
/// wall is all of its texture), so those say nothing of it. A camera that pans left sees its content move right.
/// </summary>
internal sealed class CameraMotion
{
    private const int Width = 96, Height = 54, Block = 12, Range = 5, Step = 8;

    // Thumbnail pixels a frame, smoothed: a fiftieth of the picture's width a second at 15 frames/s.
    private const float Slow = 0.14f, Fast = 1.2f, Stop = 0.08f, ZoomFrom = 0.0018f;

    private readonly PlaneReducer _reducer = new();
    private byte[] _previous = new byte[Width * Height], _current = new byte[Width * Height];
    private readonly List<float> _xs = [], _ys = [], _zooms = [];
    private readonly List<Moved> _blocks = [];
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
        _blocks.Clear();
        for (var by = Range; by + Block + Range <= Height; by += Step)
            for (var bx = Range; bx + Block + Range <= Width; bx += Step)
            {
                var side = bx < Range + 2 * Step ? Side.Left : bx + Block + Range > Width - 2 * Step ? Side.Right : by == Range ? Side.Top : Side.None;
                if (side == Side.None || !Match(bx, by, out var dx, out var dy))
                    continue;
                _blocks.Add(new(side, bx + Block / 2f - Width / 2f, by + Block / 2f - Height / 2f, dx, dy));
                _xs.Add(dx);
                _ys.Add(dy);
            }

        if (_blocks.Count < 6)
        {
            Follow(0, 0, 0);
            return;
        }

        float mx = Median(_xs), my = Median(_ys);
        foreach (var b in _blocks)
            _zooms.Add(((b.Dx - mx) * b.X + (b.Dy - my) * b.Y) / (b.X * b.X + b.Y * b.Y));
        var zoom = Median(_zooms);
        // Left and right must both move so: one side alone may be an object. Without texture there the old verdict fades.
        if (Agree(Side.Left, mx, my, zoom) && Agree(Side.Right, mx, my, zoom))
            Follow(mx, my, zoom);
        else
            Follow(0, 0, 0);
    }

    /// <summary>Whether most of the blocks of a side, and two at least, move as the camera is thought to.</summary>
    private bool Agree(Side side, float mx, float my, float zoom)
    {
        int blocks = 0, agree = 0;
        foreach (var b in _blocks)
        {
            if (b.Side != side)
                continue;
            blocks++;
            float x = mx + zoom * b.X, y = my + zoom * b.Y, ex = b.Dx - x, ey = b.Dy - y, error = ex * ex + ey * ey;
            // A block that stands still must not pass for one that moves by a fraction of a pixel.
            if (error < 0.06f + 0.25f * (x * x + y * y) && error < 0.5f * (b.Dx * b.Dx + b.Dy * b.Dy))
                agree++;
        }

        return agree >= 2 && agree * 2 > blocks;
    }

    private void Follow(float x, float y, float zoom)
    {
        _x += (x - _x) * 0.2f;
        _y += (y - _y) * 0.2f;
        _zoom += (zoom - _zoom) * 0.2f;
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

    private enum Side
    {
        None,
        Left,
        Right,
        Top,
    }

    /// <summary>A block's place from the picture's centre and its motion, in thumbnail pixels.</summary>
    private readonly record struct Moved(Side Side, float X, float Y, float Dx, float Dy);
}
