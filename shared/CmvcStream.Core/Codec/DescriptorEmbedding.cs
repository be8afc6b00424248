using CmvcStream.Core.Media;

namespace CmvcStream.Core.Codec;

/// <summary>
/// The default image embedding: four hand-made descriptors of the picture, each of unit length times the root of its weight, one after
/// the other, so that the cosine similarity is the weighted mean of the four. Counts are integers; the little floating point that
/// follows is correctly rounded, in a fixed order, so every machine gets the same vector. See docs/modes.md for what and why.
/// Not for use from several threads at once.
/// </summary>
public sealed class DescriptorEmbedding : IImageEmbedding
{
    // Base pictures from which all is measured.
    private const int LumaWidth = 64, LumaHeight = 36, ChromaWidth = 32, ChromaHeight = 18;

    // Layout: means over blocks of 4x4 base pixels. Edges: rectified gradients in 8 directions on a grid of 8x4 cells.
    private const int BlocksX = LumaWidth / 4, BlocksY = LumaHeight / 4, CellsX = 8, CellsY = 4, Directions = 8;
    private const int ChromaBlocksX = ChromaWidth / 4, ChromaBlocksY = ChromaHeight / 3;
    private const int LumaBins = 16, ChromaBins = 8;

    private const int LayoutSize = BlocksX * BlocksY;
    private const int ColourLayoutSize = 2 * ChromaBlocksX * ChromaBlocksY;
    private const int EdgeSize = CellsX * CellsY * Directions;
    private const int HistogramSize = LumaBins + ChromaBins * ChromaBins;

    // Tuned on the `tune` half of the joined clips (docs/modes.md, "Keyframe selection").
    private const float LayoutWeight = .3f, ColourLayoutWeight = .15f, EdgeWeight = .35f, HistogramWeight = .2f;

    // A descriptor shorter than this is not stretched to unit length: noise on an even wall is no content. In 8-bit levels a block.
    private const float LayoutFloor = 3 * 12, ColourLayoutFloor = 2 * 10;

    // Gradients up to this (8-bit levels over two base pixels) are noise.
    private const int GradientFloor = 4;

    private readonly PlaneReducer _reducer = new();
    private readonly byte[] _luma = new byte[LumaWidth * LumaHeight];
    private readonly byte[] _u = new byte[ChromaWidth * ChromaHeight];
    private readonly byte[] _v = new byte[ChromaWidth * ChromaHeight];
    private readonly int[] _counts = new int[Math.Max(EdgeSize, HistogramSize)];

    public int Dimensions => LayoutSize + ColourLayoutSize + EdgeSize + HistogramSize;

    public void Embed(VideoFrame frame, Span<float> destination)
    {
        ArgumentNullException.ThrowIfNull(frame);
        if (destination.Length != Dimensions)
            throw new ArgumentException($"the embedding has {Dimensions} values, room for {destination.Length} was given", nameof(destination));
        _reducer.Reduce(frame.Y, _luma, LumaWidth, LumaHeight);
        _reducer.Reduce(frame.U, _u, ChromaWidth, ChromaHeight);
        _reducer.Reduce(frame.V, _v, ChromaWidth, ChromaHeight);

        var layout = Take(ref destination, LayoutSize);
        BlockMeans(_luma, LumaWidth, 4, 4, BlocksX, BlocksY, layout);
        RemoveMean(layout);
        Scale(layout, LayoutWeight, LayoutFloor);

        var colours = Take(ref destination, ColourLayoutSize);
        BlockMeans(_u, ChromaWidth, 4, 3, ChromaBlocksX, ChromaBlocksY, colours[..(ColourLayoutSize / 2)]);
        BlockMeans(_v, ChromaWidth, 4, 3, ChromaBlocksX, ChromaBlocksY, colours[(ColourLayoutSize / 2)..]);
        foreach (ref var c in colours)
            c -= 128; // a tint is content, so grey is the origin, not the mean
        Scale(colours, ColourLayoutWeight, ColourLayoutFloor);

        Edges(Take(ref destination, EdgeSize));
        Histograms(destination);
    }

    private static Span<float> Take(ref Span<float> rest, int count)
    {
        var taken = rest[..count];
        rest = rest[count..];
        return taken;
    }

    private static void BlockMeans(ReadOnlySpan<byte> source, int width, int blockWidth, int blockHeight, int countX, int countY, Span<float> means)
    {
        for (var by = 0; by < countY; by++)
        {
            for (var bx = 0; bx < countX; bx++)
            {
                var sum = 0;
                for (var y = by * blockHeight; y < (by + 1) * blockHeight; y++)
                {
                    foreach (var value in source.Slice(y * width + bx * blockWidth, blockWidth))
                        sum += value;
                }

                means[by * countX + bx] = (float)sum / (blockWidth * blockHeight);
            }
        }
    }

    /// <summary>What light does to all blocks alike is not content.</summary>
    private static void RemoveMean(Span<float> values)
    {
        float sum = 0;
        foreach (var value in values)
            sum += value;
        var mean = sum / values.Length;
        foreach (ref var value in values)
            value -= mean;
    }

    private void Edges(Span<float> destination)
    {
        var counts = _counts.AsSpan(0, EdgeSize);
        counts.Clear();
        for (var y = 1; y < LumaHeight - 1; y++)
        {
            var above = _luma.AsSpan((y - 1) * LumaWidth, LumaWidth);
            var row = _luma.AsSpan(y * LumaWidth, LumaWidth);
            var below = _luma.AsSpan((y + 1) * LumaWidth, LumaWidth);
            var cells = counts.Slice(y * CellsY / LumaHeight * CellsX * Directions, CellsX * Directions);
            for (var x = 1; x < LumaWidth - 1; x++)
            {
                int dx = row[x + 1] - row[x - 1], dy = below[x] - above[x];
                if (Math.Abs(dx) + Math.Abs(dy) <= GradientFloor)
                    continue;
                // The projections on four axes, split by sign: smooth in the angle, and no arc tangent. 45/64 is about 1/sqrt(2).
                var bins = cells.Slice(x * CellsX / LumaWidth * Directions, Directions);
                bins[dx < 0 ? 1 : 0] += Math.Abs(dx) * 64;
                bins[dy < 0 ? 3 : 2] += Math.Abs(dy) * 64;
                bins[dx + dy < 0 ? 5 : 4] += Math.Abs(dx + dy) * 45;
                bins[dx - dy < 0 ? 7 : 6] += Math.Abs(dx - dy) * 45;
            }
        }

        Roots(counts, destination);
        Scale(destination, EdgeWeight, 1);
    }

    private void Histograms(Span<float> destination)
    {
        var counts = _counts.AsSpan(0, HistogramSize);
        counts.Clear();
        foreach (var y in _luma)
            AddSoftly(counts[..LumaBins], Math.Clamp(y - 16, 0, 219) * 256 * (LumaBins - 1) / 219);
        var chroma = counts[LumaBins..];
        for (var i = 0; i < _u.Length; i++)
        {
            int u = ChromaPosition(_u[i]), v = ChromaPosition(_v[i]);
            int u0 = Math.Min(u >> 8, ChromaBins - 2), v0 = Math.Min(v >> 8, ChromaBins - 2);
            int fu = u - (u0 << 8), fv = v - (v0 << 8);
            var at = v0 * ChromaBins + u0;
            // Both histograms weigh the same: there are four luma pixels for each of chroma, and 256 * 256 shares against 256.
            chroma[at] += (256 - fu) * (256 - fv) >> 6;
            chroma[at + 1] += fu * (256 - fv) >> 6;
            chroma[at + ChromaBins] += (256 - fu) * fv >> 6;
            chroma[at + ChromaBins + 1] += fu * fv >> 6;
        }

        Roots(counts, destination);
        Scale(destination, HistogramWeight, 1);
    }

    /// <summary>Shares a pixel between the two nearest bins: light that drifts by one level must not look like a jump. 8 fraction bits.</summary>
    private static void AddSoftly(Span<int> bins, int position)
    {
        var bin = Math.Min(position >> 8, bins.Length - 2);
        var fraction = position - (bin << 8);
        bins[bin] += 256 - fraction;
        bins[bin + 1] += fraction;
    }

    /// <summary>Chroma bins cover 64 to 192, where nearly all of it lies; the outer ones take the rest. 8 fraction bits.</summary>
    private static int ChromaPosition(byte c) => Math.Clamp(c - 64, 0, 128) * 256 * (ChromaBins - 1) / 128;

    /// <summary>Square roots: the cosine of rooted histograms is their Bhattacharyya coefficient, which large bins do not rule.</summary>
    private static void Roots(ReadOnlySpan<int> counts, Span<float> roots)
    {
        for (var i = 0; i < counts.Length; i++)
            roots[i] = MathF.Sqrt(counts[i]);
    }

    private static void Scale(Span<float> values, float weight, float floor)
    {
        float squares = 0;
        foreach (var value in values)
            squares += value * value;
        var factor = MathF.Sqrt(weight) / MathF.Max(MathF.Sqrt(squares), floor);
        foreach (ref var value in values)
            value *= factor;
    }
}
