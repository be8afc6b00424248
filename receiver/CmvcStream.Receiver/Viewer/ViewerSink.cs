using System.Buffers;
using CmvcStream.Core.Media;

namespace CmvcStream.Receiver.Viewer;

/// <summary>
/// Encodes presented frames, once for all viewers and only while somebody watches. Holds one frame: the newest; one that was not
/// encoded in time is dropped and counted. While nobody watches it is kept, and is the first that a newcomer sees.
/// </summary>
public sealed class ViewerSink : IFrameSink
{
    private readonly ViewerHub _hub;
    private readonly IPictureEncoder _encoder;
    private readonly int _quality;
    private readonly TimeProvider _time;
    private readonly SemaphoreSlim _signal = new(0);
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _work;
    private Waiting? _newest;
    private long _dropped;

    internal ViewerSink(ViewerHub hub, IPictureEncoder encoder, int quality, TimeProvider time)
    {
        (_hub, _encoder, _quality, _time) = (hub, encoder, quality, time);
        hub.ViewerCame += Wake;
        _work = Task.Run(WorkAsync);
    }

    public string Name => "view:";

    /// <summary>Frames that were not encoded because the one before was still being encoded.</summary>
    public long Dropped => Interlocked.Read(ref _dropped);

    /// <inheritdoc/>
    /// <exception cref="InvalidOperationException">The encoder has failed.</exception>
    public void Present(RegeneratedFrame frame)
    {
        ArgumentNullException.ThrowIfNull(frame);
        if (_work.IsFaulted)
            throw new InvalidOperationException($"the picture encoder failed: {_work.Exception.InnerException!.Message}", _work.Exception.InnerException);
        var kept = new Waiting(frame with { Frame = frame.Frame.AddReference() }, UnixMs(_time));
        var overtaken = Interlocked.Exchange(ref _newest, kept);
        overtaken?.Frame.Dispose();
        if (_hub.Viewers == 0)
            return;
        if (overtaken is not null)
            Interlocked.Increment(ref _dropped);
        Wake();
    }

    /// <summary>Nothing to write out: viewers keep what they have.</summary>
    public Task CompleteAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        _hub.ViewerCame -= Wake;
        await _stop.CancelAsync();
        await _work.ContinueWith(_ => { }, TaskScheduler.Default);
        Interlocked.Exchange(ref _newest, null)?.Frame.Dispose();
    }

    internal static double UnixMs(TimeProvider time) => (time.GetUtcNow() - DateTimeOffset.UnixEpoch).TotalMilliseconds;

    private void Wake()
    {
        if (_signal.CurrentCount == 0)
            _signal.Release();
    }

    private async Task WorkAsync()
    {
        var buffer = new ArrayBufferWriter<byte>(64 * 1024);
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                await _signal.WaitAsync(_stop.Token);
            }
            catch (OperationCanceledException)
            {
                return;
            }

            if (Interlocked.Exchange(ref _newest, null) is not { } newest)
                continue;
            using (newest.Frame)
            {
                buffer.ResetWrittenCount();
                _encoder.Encode(newest.Frame.Frame, _quality, buffer);
                _hub.Publish(new(newest.Frame, newest.PresentedMs, buffer.WrittenSpan));
            }
        }
    }

    private sealed record Waiting(RegeneratedFrame Frame, double PresentedMs);
}
