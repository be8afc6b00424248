using System.IO.Pipelines;
using CmvcStream.Core.Media;

namespace CmvcStream.Sender.Capture;

/// <summary>One run of ffmpeg, from its first picture to its end.</summary>
public sealed class FfmpegSession : IAsyncDisposable
{
    private readonly FfmpegProcess _process;
    private readonly PipeReader _pipe;
    private readonly Y4mReader _pictures;
    private readonly ITimer _watchdog;
    private readonly CancellationTokenRegistration _stopping;
    private VideoFrame? _first;
    private TimeSpan _patience;
    private bool _silent;

    private FfmpegSession(string program, IEnumerable<string> arguments, TimeProvider clock, CancellationToken stop)
    {
        _process = FfmpegProcess.Start(program, arguments);
        _pipe = PipeReader.Create(_process.Output, new(bufferSize: 64 * 1024, leaveOpen: true));
        _pictures = new(_pipe);
        // Reads are not cancelled but ended, by ending ffmpeg: that works on every system.
        _watchdog = clock.CreateTimer(_ => BeSilent(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _stopping = stop.UnsafeRegister(_ => _ = _process.StopAsync(), null);
    }

    public PixelSize Size => _pictures.Size;

    /// <summary>The child's process id.</summary>
    public int ProcessId => _process.Id;

    /// <summary>Starts ffmpeg and waits for its first picture, which <see cref="ReadAsync"/> then returns.</summary>
    /// <param name="program">The ffmpeg program.</param>
    /// <param name="arguments">Its arguments, from <see cref="FfmpegArguments"/>.</param>
    /// <param name="pool">Where frames of a size come from.</param>
    /// <param name="clock">Measures the wait.</param>
    /// <param name="patience">The longest wait for the first picture.</param>
    /// <param name="stop">Ends the session, now or later.</param>
    /// <param name="cancellationToken">Ends the opening.</param>
    /// <exception cref="SourceException">There is no ffmpeg, or no picture; the message holds ffmpeg's words, not the source's name.</exception>
    public static async Task<FfmpegSession> OpenAsync(
        string program, IEnumerable<string> arguments, Func<PixelSize, FramePool> pool,
        TimeProvider clock, TimeSpan patience, CancellationToken stop, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(pool);
        ArgumentNullException.ThrowIfNull(clock);
        stop.ThrowIfCancellationRequested();
        cancellationToken.ThrowIfCancellationRequested();
        var session = new FfmpegSession(program, arguments, clock, stop) { _patience = patience };
        try
        {
            await using (cancellationToken.UnsafeRegister(_ => _ = session._process.StopAsync(), null))
                await session.ReadFirstAsync(pool);
            stop.ThrowIfCancellationRequested();
            cancellationToken.ThrowIfCancellationRequested();
            return session;
        }
        catch (Exception e)
        {
            await session.DisposeAsync();
            // Stopped on request, ffmpeg ends without a picture: that is no fault of the source.
            stop.ThrowIfCancellationRequested();
            cancellationToken.ThrowIfCancellationRequested();
            throw new SourceException(e.Message, e);
        }
    }

    /// <summary>The next picture, or null when ffmpeg has come to the end and is content.</summary>
    /// <param name="pool">Frames of <see cref="Size"/>.</param>
    /// <param name="patience">The longest wait.</param>
    /// <exception cref="SourceException">ffmpeg failed or was silent for too long.</exception>
    public async ValueTask<VideoFrame?> ReadAsync(FramePool pool, TimeSpan patience)
    {
        ArgumentNullException.ThrowIfNull(pool);
        if (_first is { } first)
        {
            _first = null;
            return first;
        }

        _patience = patience;
        var frame = pool.Rent();
        try
        {
            if (await Guarded(_pictures.ReadFrameAsync(frame, CancellationToken.None)))
                return frame;
        }
        catch
        {
            frame.Dispose();
            throw;
        }

        frame.Dispose();
        await ThrowIfFailedAsync();
        return null;
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.DisposeAsync();
        await _watchdog.DisposeAsync();
        await _pipe.CompleteAsync();
        await _process.DisposeAsync();
        _first?.Dispose();
        _first = null;
    }

    private async Task ReadFirstAsync(Func<PixelSize, FramePool> pool)
    {
        if (!await Guarded(_pictures.ReadHeaderAsync(CancellationToken.None)))
        {
            await ThrowIfFailedAsync();
            throw new SourceException("it holds no picture" + Words());
        }

        var frame = pool(Size).Rent();
        if (await Guarded(_pictures.ReadFrameAsync(frame, CancellationToken.None)))
        {
            _first = frame;
            return;
        }

        frame.Dispose();
        await ThrowIfFailedAsync();
        throw new SourceException("it holds no picture" + Words());
    }

    private async ValueTask<bool> Guarded(ValueTask<bool> read)
    {
        if (read.IsCompletedSuccessfully)
            return read.Result;
        _watchdog.Change(_patience, Timeout.InfiniteTimeSpan);
        try
        {
            return await read;
        }
        catch (InvalidDataException e)
        {
            throw new SourceException(e.Message + Words(), e);
        }
        catch (EndOfStreamException e)
        {
            // ffmpeg's words explain more than the hole that its end has left.
            await ThrowIfFailedAsync();
            throw new SourceException(e.Message + Words(), e);
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            throw new SourceException("the pipe from ffmpeg broke" + Words(), e);
        }
        finally
        {
            _watchdog.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        }
    }

    private async Task ThrowIfFailedAsync()
    {
        var status = await _process.WaitForExitAsync(CancellationToken.None);
        if (_silent)
            throw new SourceException(FormattableString.Invariant($"no picture came for {_patience.TotalSeconds:0.#} s") + Words());
        if (status == 0)
            return;
        var words = _process.LastWords();
        throw new SourceException(words.Length > 0 ? words : $"ffmpeg ended with status {status}");
    }

    private string Words() => _process.LastWords() is { Length: > 0 } words ? $" ({words})" : "";

    private void BeSilent()
    {
        _silent = true;
        _process.Kill();
    }
}
