using CmvcStream.Core.Codec;
using CmvcStream.Core.Media;

namespace CmvcStream.Core.Text;

/// <summary>Light and palette of a picture in words: "bright; green, grey". Levels have hysteresis, so that words do not flap.</summary>
internal sealed class Look
{
    private const int Width = 32, Height = 18;

    // Mean luma (limited range) at which the next brighter word begins.
    private static readonly (string Word, float From)[] Lights = [("dark", 0), ("dim", 44), ("even light", 80), ("bright", 150), ("glaring", 205)];
    private const float Hysteresis = 5;

    // Share of the picture that makes a second colour, and the advantage of the one said last.
    private const float Least = 0.18f, Lead = 0.08f;

    private static readonly string[] Names = ["black", "grey", "white", "red", "orange", "yellow", "green", "cyan", "blue", "purple", "pink", "brown"];

    private readonly PlaneReducer _reducer = new();
    private readonly byte[] _y = new byte[Width * Height], _u = new byte[Width * Height], _v = new byte[Width * Height];
    private readonly float[] _shares = new float[Names.Length];
    private int _light = -1, _first = -1, _second = -1;

    public string Observe(VideoFrame frame)
    {
        _reducer.Reduce(frame.Y, _y, Width, Height);
        _reducer.Reduce(frame.U, _u, Width, Height);
        _reducer.Reduce(frame.V, _v, Width, Height);
        return $"{Light()}; {Palette()}";
    }

    private string Light()
    {
        float mean = 0;
        foreach (var y in _y)
            mean += y;
        mean /= _y.Length;
        if (_light < 0)
            _light = Array.FindLastIndex(Lights, l => mean >= l.From);
        while (_light + 1 < Lights.Length && mean > Lights[_light + 1].From + Hysteresis)
            _light++;
        while (_light > 0 && mean < Lights[_light].From - Hysteresis)
            _light--;
        return Lights[_light].Word;
    }

    private string Palette()
    {
        Span<float> now = stackalloc float[Names.Length];
        now.Clear();
        for (var i = 0; i < _y.Length; i++)
            now[Name(_y[i], _u[i] - 128, _v[i] - 128)] += 1f / _y.Length;
        for (var k = 0; k < Names.Length; k++)
        {
            // Slow shares: a passing object does not change the palette.
            _shares[k] += (now[k] - _shares[k]) * (_shares[k] == 0 ? 1 : 0.1f);
        }

        var first = Largest(-1, 0, _first);
        var second = Largest(first, Least, _second);
        (_first, _second) = (first, second);
        return second < 0 ? Names[first] : $"{Names[first]}, {Names[second]}";
    }

    /// <summary>The largest share but one colour's, above a least; the colour said last keeps its place unless it is clearly beaten.</summary>
    private int Largest(int except, float least, int last)
    {
        var best = -1;
        float most = least;
        for (var k = 0; k < Names.Length; k++)
        {
            var share = _shares[k] + (k == last ? Lead : 0);
            if (k != except && share > most)
                (best, most) = (k, share);
        }

        return best;
    }

    /// <summary>Index of the colour's name: by saturation, then hue in the chroma plane.</summary>
    private static int Name(int y, int u, int v)
    {
        var saturation = MathF.Sqrt(u * u + v * v);
        if (saturation < 14)
            return y < 50 ? 0 : y < 185 ? 1 : 2;
        if (y < 36)
            return 0;
        var hue = MathF.Atan2(v, u) * 180 / MathF.PI;
        return hue switch
        {
            >= 80 and < 122 => y < 110 ? 11 : 3,
            >= 122 and < 150 => y < 110 ? 11 : 4,
            >= 150 and < 180 => 5,
            >= -180 and < -105 => 6,
            >= -105 and < -60 => 7,
            >= -60 and < 20 => 8,
            >= 20 and < 55 => 9,
            _ => y > 140 ? 10 : 3,
        };
    }
}
