using System.Diagnostics;
using CmvcStream.Core.Media;

namespace CmvcStream.Codecs.Tests;

/// <summary>Moving pictures made by the test itself, and how far two pictures are apart.</summary>
internal static class Pictures
{
    /// <summary>Picture <paramref name="n"/> of a scene: a sliding texture, a moving disc, a little seeded noise.</summary>
    public static VideoFrame Scene(PixelSize size, int n, int seed = 1)
    {
        var frame = VideoFrame.Allocate(size);
        Paint(frame, n, seed);
        return frame;
    }

    public static void Paint(VideoFrame frame, int n, int seed = 1)
    {
        var random = new Random(seed * 7919 + n);
        double cx = frame.Size.Width * (0.5 + 0.3 * Math.Sin(n * 0.2 + seed)), cy = frame.Size.Height * 0.5, radius = frame.Size.Height * 0.2;
        for (var y = 0; y < frame.Y.Height; y++)
        {
            var row = frame.Y.Row(y);
            for (var x = 0; x < row.Length; x++)
            {
                var inside = (x - cx) * (x - cx) + (y - cy) * (y - cy) < radius * radius;
                var value = inside ? 190 + 20 * Math.Sin(x * 0.3) : 110 + 40 * Math.Sin((x + 2 * n) * 0.07 + seed) * Math.Cos((y + n) * 0.05);
                row[x] = (byte)Math.Clamp(value + random.Next(-2, 3), 16, 235);
            }
        }

        Chroma(frame.U, 100, n);
        Chroma(frame.V, 150, -n);
        frame.Pts = MediaTime.FromMilliseconds(n * 250);
    }

    public static double Psnr(VideoFrame a, VideoFrame b) => 10 * Math.Log10(255 * 255 / Math.Max(1e-9, MeanSquare(a.Y, b.Y)));

    public static double ChromaPsnr(VideoFrame a, VideoFrame b) =>
        10 * Math.Log10(255 * 255 / Math.Max(1e-9, (MeanSquare(a.U, b.U) + MeanSquare(a.V, b.V)) / 2));

    public static bool Same(VideoFrame a, VideoFrame b) =>
        a.Size == b.Size && MeanSquare(a.Y, b.Y) == 0 && MeanSquare(a.U, b.U) == 0 && MeanSquare(a.V, b.V) == 0;

    /// <summary>Runs ffmpeg with bytes in and out; skips the test where it is not installed.</summary>
    public static byte[] Ffmpeg(string arguments, byte[] input)
    {
        var start = new ProcessStartInfo("ffmpeg", "-v error -nostdin " + arguments) { RedirectStandardInput = true, RedirectStandardOutput = true };
        Process? process = null;
        try
        {
            process = Process.Start(start);
        }
        catch (System.ComponentModel.Win32Exception)
        {
            Assert.Skip("ffmpeg is not installed");
        }

        using (process)
        {
            var feed = Task.Run(() =>
            {
                process!.StandardInput.BaseStream.Write(input);
                process.StandardInput.Close();
            });
            using var output = new MemoryStream();
            process!.StandardOutput.BaseStream.CopyTo(output);
            process.WaitForExit();
            feed.Wait();
            Assert.Equal(0, process.ExitCode);
            return output.ToArray();
        }
    }

    private static void Chroma(Plane plane, int level, int n)
    {
        for (var y = 0; y < plane.Height; y++)
        {
            var row = plane.Row(y);
            for (var x = 0; x < row.Length; x++)
                row[x] = (byte)(level + 25 * Math.Sin((x + n) * 0.04 + y * 0.03));
        }
    }

    private static double MeanSquare(Plane a, Plane b)
    {
        Assert.Equal((a.Width, a.Height), (b.Width, b.Height));
        long sum = 0;
        for (var y = 0; y < a.Height; y++)
        {
            ReadOnlySpan<byte> p = a.Row(y), q = b.Row(y);
            for (var x = 0; x < p.Length; x++)
                sum += (p[x] - q[x]) * (p[x] - q[x]);
        }

        return (double)sum / (a.Width * a.Height);
    }
}
