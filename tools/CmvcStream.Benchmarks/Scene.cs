using CmvcStream.Core.Media;

namespace CmvcStream.Benchmarks;

/// <summary>Seeded pictures for the benchmarks: texture that moves, with a part that moves otherwise, and noise.</summary>
internal static class Scene
{
    public static readonly PixelSize Size = new(480, 270);

    public static VideoFrame Picture(PixelSize size, int step)
    {
        var frame = VideoFrame.Allocate(size);
        var noise = new Random(step);
        for (var y = 0; y < size.Height; y++)
            for (var x = 0; x < size.Width; x++)
            {
                var inside = Math.Abs(x - size.Width / 2 - 6 * step) < size.Width / 6 && Math.Abs(y - size.Height / 2) < size.Height / 4;
                double px = x - (inside ? 6 : 1.5) * step, py = y + (inside ? 2 : 0) * step;
                var value = 125 + 45 * Math.Sin(px * 0.11 + 2 * Math.Sin(py * 0.05)) + 35 * Math.Cos(py * 0.17 + Math.Sin(px * 0.03))
                    + 15 * Math.Sin(px * py * 0.002);
                frame.Y.Row(y)[x] = (byte)Math.Clamp(value + noise.Next(-2, 3), 16, 235);
            }

        for (var y = 0; y < size.Chroma.Height; y++)
            for (var x = 0; x < size.Chroma.Width; x++)
            {
                frame.U.Row(y)[x] = (byte)(128 + 30 * Math.Sin((x - step) * 0.04));
                frame.V.Row(y)[x] = (byte)(128 + 30 * Math.Cos((y + step) * 0.05));
            }

        return frame;
    }
}
