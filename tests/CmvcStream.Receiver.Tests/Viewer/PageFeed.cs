using System.Buffers;
using CmvcStream.Core.Media;
using CmvcStream.Receiver.Tests.Present;
using CmvcStream.Receiver.Viewer;

namespace CmvcStream.Receiver.Tests.Viewer;

/// <summary>A moving picture for the page: JPEGs that ffmpeg made, presented at 30 a second with a plausible provenance.</summary>
internal sealed class PageFeed : IPictureEncoder
{
    public const int KeyframeEvery = 8;
    private static readonly PixelSize Size = new(480, 270);
    private readonly List<byte[]> _pictures = [];

    private PageFeed() { }

    /// <summary>Three seconds of a test card with a running clock.</summary>
    public static async Task<PageFeed> MakeAsync()
    {
        Tool.SkipWithout("ffmpeg");
        var stream = await Tool.RunAsync("ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=480x270:rate=30:duration=3",
            "-pix_fmt", "yuvj420p", "-q:v", "3", "-f", "image2pipe", "-c:v", "mjpeg", "-");
        var feed = new PageFeed();
        // Each picture ends with FF D9, which entropy coded data cannot hold.
        for (int begin = 0, at = 0; at < stream.Length - 1; at++)
        {
            if (stream[at] != 0xFF || stream[at + 1] != 0xD9)
                continue;
            feed._pictures.Add(stream[begin..(at + 2)]);
            begin = at + 2;
        }

        return feed;
    }

    public int Encode(VideoFrame frame, int quality, IBufferWriter<byte> output)
    {
        var n = (int)Math.Round(frame.Pts.Seconds * 30);
        var picture = _pictures[n % _pictures.Count];
        output.Write(picture);
        return picture.Length;
    }

    /// <summary>Presents until cancelled; from frame <paramref name="holdFrom"/> on the picture before it is held.</summary>
    public static async Task RunAsync(ViewerHost host, CancellationToken cancellationToken, long holdFrom = long.MaxValue)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(1 / 30.0));
        using var pixels = VideoFrame.Allocate(Size);
        try
        {
            for (long n = 0; ; n++)
            {
                var provenance = n >= holdFrom ? Provenance.Held : n % (2 * KeyframeEvery) == 0 ? Provenance.Restored : n % KeyframeEvery == 0 ? Provenance.Transmitted : Provenance.Interpolated;
                pixels.Pts = MediaTime.FromTicks(Math.Min(n, holdFrom - 1), TestFrames.Fps);
                host.Server.Sink.Present(new(pixels, provenance, n, MediaTime.FromTicks(n, TestFrames.Fps)));
                await timer.WaitForNextTickAsync(cancellationToken);
            }
        }
        catch (OperationCanceledException)
        {
            // The test is over.
        }
    }
}
