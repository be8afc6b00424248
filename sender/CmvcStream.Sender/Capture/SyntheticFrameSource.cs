using CmvcStream.Core.Media;
using CmvcStream.Sender.Capture.Synthetic;

namespace CmvcStream.Sender.Capture;

/// <summary>Plays a drawn scene for ever; picture k of the same size and rate is always the same.</summary>
public sealed class SyntheticFrameSource(string name, CaptureOptions options)
    : QueuedFrameSource("synthetic:" + name, options, mayKeepAll: true)
{
    // A reader (or a machine) that slept for long is not given all that it missed.
    private const int MostCaughtUp = 8;

    private readonly Func<PixelSize, ISyntheticScene> _setUp = Scenes.Find(name);
    private ISyntheticScene? _scene;

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        var size = new PixelSize(Options.Box.Width & ~1, Options.Box.Height & ~1);
        _scene = await Task.Run(() => _setUp(size), cancellationToken);
        Size = size;
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
            _scene!.Render(frame, MediaTime.FromTicks(tick, Rate));
            await DeliverAsync(frame, tick);
        }
    }
}
