using CmvcStream.Core.Media;

namespace CmvcStream.Sender.Capture;

/// <summary>How a source is to be captured.</summary>
public sealed record CaptureOptions
{
    /// <summary>Pictures fit into this box: aspect kept, even sides, no bars, never larger than the source.</summary>
    public PixelSize Box { get; init; } = new(480, 270);

    /// <summary>Ticks a second; the source is resampled to it.</summary>
    public FrameRate Rate { get; init; } = FrameRate.PerSecond(15);

    /// <summary>Plays a file again and again, with ticks that go on rising.</summary>
    public bool Loop { get; init; }

    /// <summary>Drops nothing: a busy reader makes a file or a synthetic scene wait. Live sources drop all the same.</summary>
    public bool KeepAll { get; init; }

    /// <summary>Paces files and scenes, times live sources and their retries.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>The ffmpeg program: a name to look for in PATH, or a path.</summary>
    public string Ffmpeg { get; init; } = "ffmpeg";
}

/// <summary>When a live source counts as lost, and how soon it is opened again.</summary>
/// <param name="Open">The longest wait for the first picture after opening.</param>
/// <param name="Silence">A source that sends no picture for this long is lost.</param>
/// <param name="FirstRetry">The pause before the first retry; it doubles with each failure.</param>
/// <param name="LastRetry">The longest pause.</param>
public sealed record RetryPolicy(TimeSpan Open, TimeSpan Silence, TimeSpan FirstRetry, TimeSpan LastRetry)
{
    public static RetryPolicy Default { get; } =
        new(TimeSpan.FromSeconds(15), TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(0.5), TimeSpan.FromSeconds(5));
}
