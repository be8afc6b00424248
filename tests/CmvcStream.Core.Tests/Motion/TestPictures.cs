using CmvcStream.Core.Media;

namespace CmvcStream.Core.Tests.Motion;

/// <summary>Textured pictures that can be moved by any fraction of a pixel, and how well one of them matches another.</summary>
internal static class TestPictures
{
    /// <summary>The texture with what is at (x, y) moved by (dx, dy).</summary>
    public static VideoFrame Texture(PixelSize size, double dx = 0, double dy = 0, int scene = 0) => Make(size, scene, (_, _) => (dx, dy));

    /// <param name="size">Of the picture.</param>
    /// <param name="scene">Scenes of different numbers have nothing in common.</param>
    /// <param name="motion">Where the pixel at (x, y) has moved from, negated.</param>
    public static VideoFrame Make(PixelSize size, int scene, Func<int, int, (double Dx, double Dy)> motion)
    {
        var frame = VideoFrame.Allocate(size);
        for (var y = 0; y < size.Height; y++)
            for (var x = 0; x < size.Width; x++)
            {
                var (dx, dy) = motion(x, y);
                frame.Y.Row(y)[x] = (byte)Math.Clamp(Value(x - dx, y - dy, scene), 16, 235);
            }

        for (var y = 0; y < size.Chroma.Height; y++)
            for (var x = 0; x < size.Chroma.Width; x++)
            {
                var (dx, dy) = motion(Math.Min(2 * x, size.Width - 1), Math.Min(2 * y, size.Height - 1));
                double px = 2 * x - dx, py = 2 * y - dy;
                frame.U.Row(y)[x] = (byte)(128 + 40 * Math.Sin(px * 0.021 + scene) * Math.Cos(py * 0.017));
                frame.V.Row(y)[x] = (byte)(128 + 40 * Math.Cos(px * 0.019 - py * 0.013 + scene));
            }

        return frame;
    }

    public static double Psnr(VideoFrame a, VideoFrame b) =>
        10 * Math.Log10(65025 / Math.Max(Core.Motion.FrameDistance.LumaMse(a, b), 0.001));

    public static bool Same(Plane a, Plane b)
    {
        for (var y = 0; y < a.Height; y++)
        {
            if (!a.Row(y).SequenceEqual(b.Row(y)))
                return false;
        }

        return true;
    }

    /// <summary>Noise of three scales: nothing repeats, so a match is no accident.</summary>
    private static double Value(double x, double y, int scene) =>
        125 + 70 * Noise(x / 23, y / 23, scene) + 40 * Noise(x / 9, y / 9, scene + 101) + 20 * Noise(x / 4, y / 4, scene + 202);

    private static double Noise(double x, double y, int seed)
    {
        double fx = Math.Floor(x), fy = Math.Floor(y), u = Smooth(x - fx), v = Smooth(y - fy);
        int i = (int)fx, j = (int)fy;
        double top = Lattice(i, j, seed) * (1 - u) + Lattice(i + 1, j, seed) * u;
        double bottom = Lattice(i, j + 1, seed) * (1 - u) + Lattice(i + 1, j + 1, seed) * u;
        return top * (1 - v) + bottom * v;
    }

    private static double Smooth(double f) => f * f * (3 - 2 * f);

    /// <summary>-1 to 1, from a hash.</summary>
    private static double Lattice(int i, int j, int seed)
    {
        var h = unchecked((uint)(i * 374761393 + j * 668265263 + seed * 974634777));
        h = (h ^ (h >> 13)) * 1274126177;
        return ((h ^ (h >> 16)) & 0xffff) / 32767.5 - 1;
    }
}
