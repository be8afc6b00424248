using System.Threading.Channels;
using CmvcStream.Core.Media;

namespace CmvcStream.Sender.Capture;

/// <summary>
/// What all sources share: a pump that makes pictures at the source's speed, and a short queue where the newest wins.
/// </summary>
public abstract class QueuedFrameSource : IFrameSource
{
    /// <summary>
    /// Seconds that pictures wait for a busy reader: enough to bridge a slow keyframe. They cost no delay, as only the newest becomes the
    /// next keyframe; those before it tell what moves.
    /// </summary>
    private const double Bridged = 0.8;

    private readonly Channel<CapturedFrame> _queue;
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _gate = new();
    private Task? _pump;
    private long _dropped;
    private bool _disposed;

    protected QueuedFrameSource(string name, CaptureOptions options, bool mayKeepAll)
    {
        ArgumentNullException.ThrowIfNull(options);
        Name = name;
        Options = options;
        var keepAll = mayKeepAll && options.KeepAll;
        var bound = new BoundedChannelOptions((int)Math.Clamp(Bridged * options.Rate.Hertz, 2, 32))
        {
            FullMode = keepAll ? BoundedChannelFullMode.Wait : BoundedChannelFullMode.DropOldest,
            SingleWriter = true,
        };
        _queue = Channel.CreateBounded<CapturedFrame>(bound, Drop);
    }

    public string Name { get; }

    public PixelSize Size { get; protected set; }

    public FrameRate Rate => Options.Rate;

    public bool HasNewer => _queue.Reader.Count > 0;

    public long Dropped => Interlocked.Read(ref _dropped);

    public string? Trouble { get; protected set; }

    protected CaptureOptions Options { get; }

    /// <summary>Somebody has begun to read: source time runs.</summary>
    protected bool IsRead { get; private set; }

    /// <summary>Cancelled when the source is disposed.</summary>
    protected CancellationToken Stop => _stop.Token;

    public abstract Task StartAsync(CancellationToken cancellationToken);

    public async ValueTask<CapturedFrame?> ReadAsync(CancellationToken cancellationToken)
    {
        IsRead = true;
        StartPump();
        try
        {
            while (await _queue.Reader.WaitToReadAsync(cancellationToken))
            {
                if (_queue.Reader.TryRead(out var frame))
                    return frame;
            }
        }
        catch (SourceException e)
        {
            // The pump's exception may be met by several reads; each gets its own.
            throw new SourceException(e.Message, e);
        }

        return null;
    }

    public async ValueTask DisposeAsync()
    {
        lock (_gate)
        {
            if (_disposed)
                return;
            _disposed = true;
        }

        await _stop.CancelAsync();
        if (_pump is { } pump)
            await pump;
        await ReleaseAsync();
        while (_queue.Reader.TryRead(out var left))
            left.Frame.Dispose();
        _stop.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>Makes pictures until the source ends or <see cref="Stop"/> is cancelled.</summary>
    /// <exception cref="SourceException">The source failed for good.</exception>
    protected abstract Task PumpAsync();

    /// <summary>Frees what <see cref="StartAsync"/> made, after the pump has ended.</summary>
    protected virtual ValueTask ReleaseAsync() => ValueTask.CompletedTask;

    /// <summary>Begins to pump, once. The first read does it at the latest.</summary>
    protected void StartPump()
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (Size == default)
                throw new InvalidOperationException($"{Name}: read before it was started");
            _pump ??= Task.Run(RunAsync);
        }
    }

    /// <summary>Queues a picture; owns the frame from here on.</summary>
    protected ValueTask DeliverAsync(VideoFrame frame, long tick)
    {
        ArgumentNullException.ThrowIfNull(frame);
        frame.Pts = MediaTime.FromTicks(tick, Rate);
        return _queue.Writer.WriteAsync(new(frame, tick), Stop);
    }

    /// <summary>Waits until a tick is due, counted from a time stamp of the clock.</summary>
    protected async ValueTask DueAsync(long tick, long origin)
    {
        var due = TimeSpan.FromMicroseconds(MediaTime.FromTicks(tick, Rate).Microseconds);
        var wait = due - Options.Clock.GetElapsedTime(origin);
        if (wait > TimeSpan.Zero)
            await Task.Delay(wait, Options.Clock, Stop);
    }

    /// <summary>Counts pictures that were not even made.</summary>
    protected void CountDropped(long count) => Interlocked.Add(ref _dropped, count);

    private async Task RunAsync()
    {
        try
        {
            await PumpAsync();
            _queue.Writer.TryComplete();
        }
        catch (Exception) when (_stop.IsCancellationRequested)
        {
            _queue.Writer.TryComplete();
        }
        catch (Exception e)
        {
            _queue.Writer.TryComplete(e);
        }
    }

    private void Drop(CapturedFrame frame)
    {
        Interlocked.Increment(ref _dropped);
        frame.Frame.Dispose();
    }
}
