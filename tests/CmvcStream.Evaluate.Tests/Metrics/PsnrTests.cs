using System.Globalization;
using System.Text.RegularExpressions;
using CmvcStream.Evaluate.Media;
using CmvcStream.Evaluate.Metrics;

namespace CmvcStream.Evaluate.Tests.Metrics;

public partial class PsnrTests
{
    // ffmpeg 5.1.9's psnr filter, by independent_values.py.
    [Theory]
    [InlineData(480, 270, "blur", 27.341836)]
    [InlineData(480, 270, "unrelated", 9.440610)]
    [InlineData(152, 270, "noise", 28.799609)]
    [InlineData(426, 240, "blocks", 29.261786)]
    [InlineData(61, 47, "brighter", 22.144478)]
    public void Decibels_KnownPictures_AreFfmpegs(int width, int height, string kind, double expected)
    {
        var a = MetricPictures.Reference(width, height);
        var b = MetricPictures.Distorted(a, width, height, kind);
        Assert.Equal(expected, Psnr.Decibels(Psnr.MeanSquaredError(a, b)), 2e-6);
    }

    [Fact]
    public async Task Decibels_MeanErrorOfClip_IsWhatFfmpegSaysNow()
    {
        const int width = 61, height = 47;
        var source = MetricPictures.Reference(width, height);
        byte[][] received = [.. new[] { "blur", "noise", "blocks" }.Select(kind => MetricPictures.Distorted(source, width, height, kind))];
        var expected = Psnr.Decibels(received.Average(picture => Psnr.MeanSquaredError(source, picture)));

        var folder = Directory.CreateTempSubdirectory("cmvc-psnr");
        try
        {
            string first = Path.Combine(folder.FullName, "a.gray"), second = Path.Combine(folder.FullName, "b.gray");
            await File.WriteAllBytesAsync(first, [.. source, .. source, .. source]);
            await File.WriteAllBytesAsync(second, [.. received.SelectMany(picture => picture)]);
            string[] format = ["-f", "rawvideo", "-pix_fmt", "gray", "-s", $"{width}x{height}", "-i"];
            string[] arguments = ["-hide_banner", "-nostdin", .. format, second, .. format, first, "-lavfi", "psnr", "-f", "null", "-"];
            await using var child = ChildProcess.Start("ffmpeg", arguments);
            await child.SucceedAsync("ffmpeg", default);
            var said = Average().Match(child.LastWords());
            Assert.True(said.Success, child.LastWords());
            Assert.Equal(double.Parse(said.Groups[1].Value, CultureInfo.InvariantCulture), expected, 2e-6);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(31)]
    [InlineData(32)]
    [InlineData(1023)]
    public void SquaredError_AnyLength_EqualsScalar(int length)
    {
        byte[] a = MetricPictures.Noise(length, 1, 4), b = MetricPictures.Noise(length, 1, 5);
        Assert.Equal(Psnr.SquaredErrorScalar(a, b), Psnr.SquaredError(a, b));
    }

    [Fact]
    public void SquaredError_LargestErrorsOfLargePicture_DoNotOverflow()
    {
        var white = new byte[3840 * 2160];
        Array.Fill(white, (byte)255);
        Assert.Equal(255L * 255 * white.Length, Psnr.SquaredError(white, new byte[white.Length]));
    }

    [Fact]
    public void Decibels_EqualPictures_AreBounded()
    {
        Assert.Equal(100, Psnr.Decibels(Psnr.MeanSquaredError([1, 2], [1, 2])));
        Assert.Equal(100, Psnr.Decibels(1e-12));
    }

    [Fact]
    public void MeanSquaredError_SizesDiffer_Throws() => Assert.Throws<ArgumentException>(() => Psnr.MeanSquaredError([1], [1, 2]));

    [GeneratedRegex(@"PSNR .*average:([\d.]+)")]
    private static partial Regex Average();
}
