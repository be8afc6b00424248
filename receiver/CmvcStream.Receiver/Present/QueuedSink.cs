using System.Threading.Channels;
using CmvcStream.Core.Media;

namespace CmvcStream.Receiver.Present;

/// <summary>
/// A sink whose work is done behind a bounded queue, so that presenting returns at once. The queue rides out a disk that stalls for
/// seconds; when it is full all the same, the newest frame is dropped, counted and reported.
/// </summary>
public abstract class QueuedSink : IFrameSink
{
    /// <summary>Frames that may wait: four seconds at 30 a second.</summary>
    public const int Capacity = 120;

    private readonly Channel<RegeneratedFrame> _queue = Channel.CreateBounded<RegeneratedFrame>(
        new BoundedChannelOptions(Capacity) { SingleReader = true, SingleWriter = true });
    private readonly CancellationTokenSource _abort = new();
    private readonly Action<string> _report;
    private Task? _work;
    private long _dropped;
    private long _reported;
    private bool _completed;

    private protected QueuedSink(string name, Action<string> report)
    {
        Name = name;
        _report = report;
    }

    public string Name { get; }

    /// <summary>Frames that found the queue full.</summary>
    public long Dropped => Interlocked.Read(ref _dropped);

    /// <inheritdoc/>
    /// <exception cref="SinkException">An earlier frame could not be written.</exception>
    public void Present(RegeneratedFrame frame)
    {
        ArgumentNullException.ThrowIfNull(frame);
        _work ??= Task.Run(WorkAsync);
        if (_work.IsFaulted)
            throw Explain(_work.Exception.InnerException!);
        var kept = frame with { Frame = frame.Frame.AddReference() };
        if (_queue.Writer.TryWrite(kept))
            return;
        kept.Dispose();
        var dropped = Interlocked.Increment(ref _dropped);
        // Told at once, then each time the loss has doubled: a fault that lasts is summarised.
        if (dropped < 2 * _reported)
            return;
        _reported = dropped;
        _report($"{Name}: {dropped} frame(s) lost because writing is too slow; use a faster disk, a smaller picture or a lower --fps");
    }

    /// <inheritdoc/>
    /// <exception cref="SinkException">Something could not be written.</exception>
    public async Task CompleteAsync(CancellationToken cancellationToken)
    {
        if (_completed)
            return;
        _completed = true;
        _queue.Writer.TryComplete();
        try
        {
            if (_work is not null)
                await _work.WaitAsync(cancellationToken);
            await FinishAsync(cancellationToken);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            throw Explain(e);
        }
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        _queue.Writer.TryComplete();
        await _abort.CancelAsync();
        if (_work is not null)
            await _work.ContinueWith(_ => { }, TaskScheduler.Default);
        while (_queue.Reader.TryRead(out var left))
            left.Dispose();
        await CloseAsync();
        _abort.Dispose();
    }

    /// <summary>Writes one frame.</summary>
    private protected abstract ValueTask WriteAsync(RegeneratedFrame frame, CancellationToken cancellationToken);

    /// <summary>All frames have been written.</summary>
    private protected abstract ValueTask FinishAsync(CancellationToken cancellationToken);

    /// <summary>Frees what is held; called once, finished or not.</summary>
    private protected virtual ValueTask CloseAsync() => ValueTask.CompletedTask;

    private SinkException Explain(Exception e) => e as SinkException ?? new($"{Name}: {e.Message}", e);

    private async Task WorkAsync()
    {
        try
        {
            await foreach (var frame in _queue.Reader.ReadAllAsync(_abort.Token))
            {
                using (frame)
                    await WriteAsync(frame, _abort.Token);
            }
        }
        finally
        {
            _queue.Writer.TryComplete();
            while (_queue.Reader.TryRead(out var left))
                left.Dispose();
        }
    }
}
