using CmvcStream.Evaluate.Metrics;

namespace CmvcStream.Evaluate.Tests.Metrics;

public class StructuralSimilarityTests
{
    // The largest difference seen is 3e-7: float's rounding against double.
    private const double Tolerance = 1e-6;

    // scikit-image 0.19.3 and scipy 1.10.1, by independent_values.py.
    [Theory]
    [InlineData(480, 270, "blur", 0.653127950, 5, 0.890764676)]
    [InlineData(480, 270, "noise", 0.801044381, 5, 0.978084893)]
    [InlineData(480, 270, "blocks", 0.741942159, 5, 0.951859720)]
    [InlineData(480, 270, "brighter", 0.989140553, 5, 0.998707225)]
    [InlineData(480, 270, "unrelated", 0.009463788, 5, 0.065889009)]
    [InlineData(152, 270, "blur", 0.658167957, 4, 0.886940787)]
    [InlineData(152, 270, "noise", 0.803102518, 4, 0.975159366)]
    [InlineData(152, 270, "blocks", 0.743471620, 4, 0.944333293)]
    [InlineData(152, 270, "brighter", 0.989671389, 4, 0.997612058)]
    [InlineData(152, 270, "unrelated", 0.009497404, 4, 0.030514234)]
    [InlineData(270, 270, "blur", 0.658421578, 5, 0.894154377)]
    [InlineData(270, 270, "noise", 0.800517843, 5, 0.977786073)]
    [InlineData(270, 270, "blocks", 0.743496436, 5, 0.952379949)]
    [InlineData(270, 270, "brighter", 0.989552524, 5, 0.998824037)]
    [InlineData(270, 270, "unrelated", 0.011119777, 5, 0.073728567)]
    [InlineData(426, 240, "blur", 0.654654844, 5, 0.892248973)]
    [InlineData(426, 240, "noise", 0.801027332, 5, 0.977868942)]
    [InlineData(426, 240, "blocks", 0.742826148, 5, 0.952436424)]
    [InlineData(426, 240, "brighter", 0.989153638, 5, 0.998720198)]
    [InlineData(426, 240, "unrelated", 0.010444214, 5, 0.056317819)]
    [InlineData(61, 47, "blur", 0.664284850, 3, 0.869751981)]
    [InlineData(61, 47, "noise", 0.794721420, 3, 0.966800662)]
    [InlineData(61, 47, "blocks", 0.692131360, 3, 0.903738755)]
    [InlineData(61, 47, "brighter", 0.990415118, 3, 0.996023330)]
    [InlineData(61, 47, "unrelated", 0.006416686, 3, 0.032591646)]
    public void Both_KnownPictures_AgreeWithScikitImage(int width, int height, string kind, double ssim, int scales, double multiScale)
    {
        var a = MetricPictures.Reference(width, height);
        var b = MetricPictures.Distorted(a, width, height, kind);
        var measure = new StructuralSimilarity(width, height);
        var both = measure.Both(a, b);
        Assert.Equal(scales, measure.Scales);
        Assert.Equal(ssim, both.Ssim, Tolerance);
        Assert.Equal(multiScale, both.MultiScale, Tolerance);
        Assert.Equal(both.Ssim, measure.Ssim(a, b));
    }

    [Theory]
    [InlineData(11, 11)]
    [InlineData(12, 19)]
    [InlineData(18, 11)]
    [InlineData(29, 30)]
    public void Ssim_SmallPicture_EqualsTheDefinition(int width, int height)
    {
        byte[] a = MetricPictures.Reference(width, height), b = MetricPictures.Distorted(a, width, height, "noise");
        Assert.Equal(Plain(a, b, width, height), new StructuralSimilarity(width, height).Ssim(a, b), Tolerance);
    }

    [Fact]
    public void Both_SecondPair_OwesNothingToTheFirst()
    {
        const int width = 61, height = 47;
        byte[] a = MetricPictures.Reference(width, height), b = MetricPictures.Distorted(a, width, height, "blur");
        var used = new StructuralSimilarity(width, height);
        used.Both(MetricPictures.Noise(width, height, 7), a);
        Assert.Equal(new StructuralSimilarity(width, height).Both(a, b), used.Both(a, b));
    }

    [Fact]
    public void Both_EqualPictures_AreOne()
    {
        var a = MetricPictures.Reference(200, 180);
        var both = new StructuralSimilarity(200, 180).Both(a, a);
        Assert.Equal(1, both.Ssim, 1e-7);
        Assert.Equal(1, both.MultiScale, 1e-7);
    }

    [Fact]
    public void Both_Negative_HasNoStructureAndMultiScaleZero()
    {
        var a = MetricPictures.Noise(64, 64, 1);
        var both = new StructuralSimilarity(64, 64).Both(a, [.. a.Select(p => (byte)(255 - p))]);
        Assert.True(both.Ssim < -0.5);
        Assert.Equal(0, both.MultiScale);
    }

    [Fact]
    public void Both_ManyPictures_AllocateNothing()
    {
        byte[] a = MetricPictures.Reference(61, 47), b = MetricPictures.Noise(61, 47, 1);
        var measure = new StructuralSimilarity(61, 47);
        measure.Both(a, b);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++)
            measure.Both(a, b);
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    [Theory]
    [InlineData(10, 11, 1)]
    [InlineData(11, 11, 120)]
    public void Ssim_WrongSize_Throws(int width, int height, int bytes) =>
        Assert.ThrowsAny<ArgumentException>(() => new StructuralSimilarity(width, height).Ssim(new byte[bytes], new byte[bytes]));

    /// <summary>Formula by formula: each window's own mean, variance and covariance, in double.</summary>
    private static double Plain(byte[] a, byte[] b, int width, int height)
    {
        const double c1 = 0.01 * 255 * 0.01 * 255, c2 = 0.03 * 255 * 0.03 * 255;
        var total = 0.0;
        for (var y = 5; y < height - 5; y++)
            for (var x = 5; x < width - 5; x++)
            {
                double Mean(Func<int, double> of)
                {
                    double sum = 0, weights = 0;
                    for (var j = -5; j <= 5; j++)
                        for (var i = -5; i <= 5; i++)
                        {
                            var weight = Math.Exp(-(i * i + j * j) / 4.5);
                            (sum, weights) = (sum + weight * of((y + j) * width + x + i), weights + weight);
                        }

                    return sum / weights;
                }

                double ma = Mean(k => a[k]), mb = Mean(k => b[k]);
                double va = Mean(k => (a[k] - ma) * (a[k] - ma)), vb = Mean(k => (b[k] - mb) * (b[k] - mb));
                var vab = Mean(k => (a[k] - ma) * (b[k] - mb));
                total += (2 * ma * mb + c1) * (2 * vab + c2) / ((ma * ma + mb * mb + c1) * (va + vb + c2));
            }

        return total / ((width - 10) * (height - 10));
    }
}
