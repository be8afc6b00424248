using CmvcStream.Core.Media;
using CmvcStream.Sender.Capture.Synthetic;

namespace CmvcStream.Sender.Capture;

/// <summary>Plays a drawn scene for ever; picture k of the same size and rate is always the same.</summary>
public sealed class SyntheticFrameSource(string name, ISyntheticScene scene, CaptureOptions options)
    : QueuedFrameSource("synthetic:" + name, options, mayKeepAll: true)
{
    // A reader (or a machine) that slept for long is not given all that it missed.
    private const int MostCaughtUp = 8;

    /// <summary>The size of a scene: the box, with even sides.</summary>
    public static PixelSize SizeOf(CaptureOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return new(options.Box.Width & ~1, options.Box.Height & ~1);
    }

    public override Task StartAsync(CancellationToken cancellationToken)
    {
        Size = SizeOf(Options);
        return Task.CompletedTask;
    }

    protected override async Task PumpAsync()
    {
        var pool = new FramePool(Size);
        var origin = Options.Clock.GetTimestamp();
        for (var tick = 0L; ; tick++)
        {
            await DueAsync(tick, origin);
            var now = (long)(Options.Clock.GetElapsedTime(origin).TotalSeconds * Rate.Hertz);
            if (!Options.KeepAll && now > tick + MostCaughtUp)
            {
                CountDropped(now - tick);
                tick = now;
            }

            var frame = pool.Rent();
            scene.Render(frame, MediaTime.FromTicks(tick, Rate));
            await DeliverAsync(frame, tick);
        }
    }
}
