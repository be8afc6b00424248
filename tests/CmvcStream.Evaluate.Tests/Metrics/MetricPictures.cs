namespace CmvcStream.Evaluate.Tests.Metrics;

/// <summary>Luma planes that independent_values.py makes too, pixel by pixel.</summary>
internal static class MetricPictures
{
    public static byte[] Reference(int width, int height)
    {
        var grain = Box(Noise(width, height, 1), width, height, 1);
        return Fill(width, height, (x, y) =>
            Math.Min(255, (3 * (x * 255 / width) + 2 * (y * 255 / height) + 3 * grain[y * width + x]) / 8 + 40 * ((x / 16 + y / 16) & 1)));
    }

    public static byte[] Distorted(byte[] picture, int width, int height, string kind)
    {
        switch (kind)
        {
            case "blur":
                return Box(picture, width, height, 2);
            case "noise":
                var grain = Noise(width, height, 2);
                return [.. picture.Zip(grain, (p, n) => (byte)Math.Clamp(p + (n >> 3) - 16, 0, 255))];
            case "blocks":
                return Fill(width, height, (x, y) => BlockMean(picture, width, height, x & ~7, y & ~7));
            case "brighter":
                return [.. picture.Select(p => (byte)Math.Min(255, p + 20))];
            case "unrelated":
                return Noise(width, height, 3);
            default:
                throw new ArgumentException(kind);
        }
    }

    /// <summary>Numerical Recipes' linear congruential generator, its highest byte, row by row.</summary>
    public static byte[] Noise(int width, int height, uint seed) =>
        Fill(width, height, (_, _) => (int)((seed = seed * 1664525 + 1013904223) >> 24));

    private static byte[] Box(byte[] picture, int width, int height, int radius) => Fill(width, height, (x, y) =>
    {
        var sum = 0;
        for (var j = -radius; j <= radius; j++)
            for (var i = -radius; i <= radius; i++)
                sum += picture[Math.Clamp(y + j, 0, height - 1) * width + Math.Clamp(x + i, 0, width - 1)];
        return sum / ((2 * radius + 1) * (2 * radius + 1));
    });

    private static int BlockMean(byte[] picture, int width, int height, int left, int top)
    {
        int sum = 0, count = 0;
        for (var y = top; y < Math.Min(top + 8, height); y++)
            for (var x = left; x < Math.Min(left + 8, width); x++, count++)
                sum += picture[y * width + x];
        return sum / count;
    }

    private static byte[] Fill(int width, int height, Func<int, int, int> level)
    {
        var picture = new byte[width * height];
        for (var i = 0; i < picture.Length; i++)
            picture[i] = (byte)level(i % width, i / width);
        return picture;
    }
}
