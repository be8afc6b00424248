using System.Threading.Channels;
using CmvcStream.Core.Media;

namespace CmvcStream.Sender.Capture;

/// <summary>Plays a file at its own speed, by our own clock; picture k has tick k.</summary>
/// <param name="path">Path of the file.</param>
/// <param name="options">Size, rate, loop.</param>
public sealed class FileFrameSource(string path, CaptureOptions options) : QueuedFrameSource("file:" + path, options, mayKeepAll: true)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    // Pictures decoded ahead hide the start of the next round of a loop.
    private readonly Channel<VideoFrame> _ahead = Channel.CreateBounded<VideoFrame>(new BoundedChannelOptions(8) { SingleReader = true, SingleWriter = true });
    private Task? _decoding;
    private FramePool? _pool;

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        if (Directory.Exists(path))
            throw new SourceException($"{Name} is a folder; name a video file in it");
        if (!File.Exists(path))
            throw new SourceException($"{Name}: there is no such file ({Path.GetFullPath(path)})");
        var session = await OpenAsync(repeat: 0, cancellationToken);
        Size = session.Size;
        _decoding = Task.Run(() => DecodeAsync(session), CancellationToken.None);
    }

    protected override async Task PumpAsync()
    {
        var origin = Options.Clock.GetTimestamp();
        var tick = 0L;
        await foreach (var frame in _ahead.Reader.ReadAllAsync(Stop))
        {
            await DueAsync(tick, origin);
            await DeliverAsync(frame, tick++);
        }
    }

    protected override async ValueTask ReleaseAsync()
    {
        if (_decoding is { } decoding)
            await decoding;
    }

    private async Task DecodeAsync(FfmpegSession session)
    {
        try
        {
            var repeats = false;
            while (true)
            {
                var count = await DecodeOnceAsync(session);
                if (!Options.Loop || repeats)
                    break;
                // A clip of less than a second, or one picture, is repeated by ffmpeg itself, not by starting it all the time.
                repeats = count < Rate.Hertz;
                session = await OpenAsync(repeats ? count : 0, Stop);
            }

            _ahead.Writer.Complete();
        }
        catch (Exception e)
        {
            _ahead.Writer.Complete(e);
        }
    }

    private async Task<int> DecodeOnceAsync(FfmpegSession session)
    {
        await using (session)
        {
            var count = 0;
            while (await ReadAsync(session) is { } frame)
            {
                await _ahead.Writer.WriteAsync(frame, Stop);
                count++;
            }

            return count;
        }
    }

    private async ValueTask<VideoFrame?> ReadAsync(FfmpegSession session)
    {
        try
        {
            return await session.ReadAsync(_pool!, Patience);
        }
        catch (SourceException e)
        {
            throw Named(e);
        }
    }

    private async Task<FfmpegSession> OpenAsync(int repeat, CancellationToken cancellationToken)
    {
        var arguments = FfmpegArguments.Build(FfmpegArguments.FileInput(path), Options, _pool?.Size, repeat);
        try
        {
            return await FfmpegSession.OpenAsync(Options.Ffmpeg, arguments, size => _pool ??= new(size), Options.Clock, Patience, Stop, cancellationToken);
        }
        catch (SourceException e)
        {
            throw Named(e);
        }
    }

    private SourceException Named(SourceException e) => new(
        e.Message.Contains("matches no streams", StringComparison.Ordinal)
            ? $"{Name} has no video stream ({e.Message})"
            : $"{Name} cannot be played: {e.Message}", e);
}
