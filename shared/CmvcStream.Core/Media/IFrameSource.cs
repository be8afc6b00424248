namespace CmvcStream.Core.Media;

/// <summary>Delivers captured pictures: a camera, a file, a stream, a screen, a synthetic scene.</summary>
public interface IFrameSource : IAsyncDisposable
{
    /// <summary>What people call it, for example "file:clip.mp4".</summary>
    string Name { get; }

    /// <summary>Known after <see cref="StartAsync"/>.</summary>
    PixelSize Size { get; }

    /// <summary>Frames a second; frame k of <see cref="ReadAsync"/> has tick k unless frames were dropped.</summary>
    FrameRate Rate { get; }

    /// <summary>Opens the source and learns its size.</summary>
    /// <exception cref="SourceException">It cannot be opened; the message is for the user.</exception>
    Task StartAsync(CancellationToken cancellationToken);

    /// <summary>
    /// The next picture at the source's own speed, or null at its end. Pictures wait for a busy reader for a while; then the oldest
    /// are dropped and counted, except where the source is asked to keep all. Pts is tick / rate.
    /// </summary>
    /// <exception cref="SourceException">The source failed for good.</exception>
    ValueTask<CapturedFrame?> ReadAsync(CancellationToken cancellationToken);

    /// <summary>A newer picture than the last one read waits already.</summary>
    bool HasNewer { get; }

    /// <summary>Pictures dropped because the reader was busy.</summary>
    long Dropped { get; }

    /// <summary>Set while the source is lost and being retried; null when all is well.</summary>
    string? Trouble { get; }
}

/// <summary>A captured picture with its tick (frame count in source time). The receiver of it disposes the frame.</summary>
public sealed record CapturedFrame(VideoFrame Frame, long Tick);

/// <summary>A source cannot be opened or has failed; the message names the source, what went wrong and how to mend it.</summary>
public sealed class SourceException : Exception
{
    public SourceException(string message) : base(message) { }

    public SourceException(string message, Exception inner) : base(message, inner) { }

    public SourceException() { }
}

/// <summary>Takes presented pictures: a viewer, a file, a hash.</summary>
public interface IFrameSink : IAsyncDisposable
{
    string Name { get; }

    /// <summary>Called for every presentation frame in order. Returns at once: a slow sink bounds its own queue. Takes its own reference.</summary>
    void Present(RegeneratedFrame frame);

    /// <summary>Everything presented so far is written out; no more will come.</summary>
    Task CompleteAsync(CancellationToken cancellationToken);
}
