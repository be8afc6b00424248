using CmvcStream.Core.Media;

namespace CmvcStream.Sender.Capture;

/// <summary>
/// A camera, a stream or a screen: what cannot be asked to wait. When it is lost it is opened again until it is back;
/// ticks go on with true time meanwhile, and its size stays that of the first picture.
/// </summary>
public sealed class LiveFrameSource : QueuedFrameSource
{
    private readonly LiveInput _input;
    private readonly RetryPolicy _policy;
    private FfmpegSession? _session;
    private FramePool? _pool;

    public LiveFrameSource(string name, LiveInput input, CaptureOptions options, RetryPolicy? policy = null)
        : base(name, options, mayKeepAll: false)
    {
        ArgumentNullException.ThrowIfNull(input);
        _input = input;
        _policy = policy ?? RetryPolicy.Default;
    }

    /// <summary>How often it was opened again.</summary>
    public int Retries { get; private set; }

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        try
        {
            _session = await OpenAsync(cancellationToken);
        }
        catch (SourceException e)
        {
            throw new SourceException($"{Name} cannot be opened: {_input.Redact(e.Message)}. {_input.Advice}", e);
        }

        Size = _session.Size;
        // From now on pictures are drained, so that the first one read is fresh.
        StartPump();
    }

    protected override async Task PumpAsync()
    {
        var ticks = new LiveTicks(Rate);
        long? origin = null;
        var pause = _policy.FirstRetry;
        while (true)
        {
            try
            {
                await using var session = _session ?? await OpenAsync(Stop);
                _session = null;
                while (await session.ReadAsync(_pool!, _policy.Silence) is { } frame)
                {
                    Trouble = null;
                    pause = _policy.FirstRetry;
                    if (!IsRead)
                    {
                        frame.Dispose();
                        continue;
                    }

                    origin ??= Options.Clock.GetTimestamp();
                    if (ticks.Next(Options.Clock.GetElapsedTime(origin.Value)) is { } tick)
                        await DeliverAsync(frame, tick);
                    else
                        frame.Dispose();
                }

                Lose("it has ended");
            }
            catch (SourceException e)
            {
                Lose(e.Message);
            }

            await Task.Delay(pause, Options.Clock, Stop);
            pause = pause * 2 < _policy.LastRetry ? pause * 2 : _policy.LastRetry;
            Retries++;
        }
    }

    private void Lose(string reason)
    {
        Stop.ThrowIfCancellationRequested();
        Trouble = $"{Name} is lost and tried again: {_input.Redact(reason)}";
    }

    private Task<FfmpegSession> OpenAsync(CancellationToken cancellationToken) => FfmpegSession.OpenAsync(
        Options.Ffmpeg,
        FfmpegArguments.Build(_input.Arguments, Options, _pool?.Size),
        size => _pool ??= new(size),
        Options.Clock,
        _policy.Open,
        Stop,
        cancellationToken);
}
