using System.Globalization;
using CmvcStream.Core.Control;
using CmvcStream.Core.Media;
using CmvcStream.Core.Text;
using CmvcStream.Protos;
using CmvcStream.Receiver.Networks;
using CmvcStream.Receiver.Present;
using CmvcStream.Receiver.Regenerate;
using CmvcStream.Sender.Capture;
using CmvcStream.Sender.Encode;

namespace CmvcStream.Simulate;

/// <summary>What is simulated.</summary>
internal sealed record SimulationOptions(string File, Bitrate Rate)
{
    public MediaTime Delay { get; init; }

    /// <summary>Takes what is shown, as y4m.</summary>
    public string? Out { get; init; }

    /// <summary>Takes a line for each keyframe.</summary>
    public string? Trace { get; init; }

    /// <summary>Takes keyframes and their truth, for training.</summary>
    public string? Pairs { get; init; }

    /// <summary>Takes interpolated pictures and their truth, for training.</summary>
    public string? Triples { get; init; }

    /// <summary>What regenerates.</summary>
    public NetworkOptions Networks { get; init; } = new();

    /// <summary>Keyframes evenly spaced.</summary>
    public bool Uniform { get; init; }

    public bool NoMotion { get; init; }
}

/// <summary>
/// The stages of sender and receiver, as they are, around a <see cref="LinkModel{T}"/>, with time that is only counted. The encoder
/// takes <see cref="EncodeTime"/>; acknowledgements of reports are charged as they would come.
/// </summary>
internal sealed class Simulation : IDisposable
{
    private static readonly MediaTime Step = MediaTime.FromMilliseconds(5);
    private static readonly MediaTime EncodeTime = MediaTime.FromMilliseconds(150);

    private readonly SimulationOptions _options;
    private readonly WireBudget _budget;
    private readonly PacketAssembler _assembler;
    private readonly KeyframeRateControl _rate;
    private readonly KeyframeStage _stage;
    private readonly FrameChooser _chooser;
    private readonly SignalDescriber _describer = new();
    private readonly LinkModel<SenderMessage> _link;
    private readonly SceneReader _reader;
    private readonly SceneState _scene = new();
    private readonly PlayoutDelay _playout = new(PlayoutDelay.Smooth);
    private readonly PresentationSchedule _schedule;
    private readonly ImageTextRegenerator _regenerator;
    private readonly FrameRate _fps;
    private readonly Queue<(MediaTime At, CodedKeyframe Coded)> _encoding = new();
    private readonly Queue<MediaTime> _acknowledgements = new();
    private readonly Y4mWriter? _writer;
    private readonly FileStream? _out;
    private readonly StreamWriter? _trace;
    private readonly PairWriter? _pairs;
    private readonly TripleWriter? _triples;
    private readonly RegenerationNetworks _networks;
    private readonly List<double> _delays = [];
    private MediaTime? _lastArrived;
    private MediaTime _now;
    private long _wire, _lastTick, _held, _shown, _run, _longest, _keyframes;
    private MediaTime _longestAt, _shownTime;
    private bool _helloSent, _ended;

    private Simulation(SimulationOptions options, PixelSize size, FrameRate fps)
    {
        (_options, _fps) = (options, fps);
        _budget = new(options.Rate);
        _assembler = new(WireOverhead.GrpcClear, _budget);
        _rate = new(options.Rate, WireOverhead.GrpcClear, fps, size);
        _stage = new(size, _rate);
        _chooser = new(_stage, _rate, options.Uniform);
        _link = new(new() { Rate = options.Rate, Delay = options.Delay, Queue = LinkSettings.DefaultQueue(options.Rate) });
        _schedule = new(fps);
        _networks = new(options.Networks, Console.Error.WriteLine);
        _regenerator = new(_scene, size, lowLatency: false, () => _networks.Refiner(size, fps))
        {
            Interpolated = (interpolator, t, gap, frame) => _triples?.Interpolated(interpolator, t, gap, frame, _shownTime),
        };
        _reader = new(_scene, size, fps, Arrived, fault => throw new InvalidOperationException(fault), restorer: () => _networks.Restorer(size));
        if (options.Out is { } path)
            _writer = new(_out = File.Create(path), fps, path);
        if (options.Pairs is { } pairs)
            _pairs = new(pairs, size);
        if (options.Triples is { } triples)
            _triples = new(triples, size, fps);
        if (options.Trace is { } table)
            (_trace = new(table)).WriteLine("tick\treason\tbytes\tmotion\tcoded\tquality\tavailable\tdelay_ms");
    }

    /// <summary>Streams the file and says how it went.</summary>
    public static async Task<string> RunAsync(SimulationOptions options, CancellationToken stop)
    {
        var capture = new CaptureOptions();
        FramePool? pool = null;
        await using var ffmpeg = await FfmpegSession.OpenAsync(capture.Ffmpeg, FfmpegArguments.Build(FfmpegArguments.FileInput(options.File), capture),
            size => pool ??= new(size), TimeProvider.System, TimeSpan.FromSeconds(30), stop, stop);
        using var simulation = new Simulation(options, ffmpeg.Size, capture.Rate);
        for (var tick = 0L; await ffmpeg.ReadAsync(pool!, TimeSpan.FromSeconds(30)) is { } frame; tick++)
        {
            frame.Pts = MediaTime.FromTicks(tick, capture.Rate);
            simulation.Capture(new(frame, tick));
            await simulation.AdvanceAsync(MediaTime.FromTicks(tick + 1, capture.Rate), stop);
        }

        simulation.Finish();
        while (!simulation._ended)
            await simulation.AdvanceAsync(simulation._now + Step, stop);
        return simulation.Summary();
    }

    public void Dispose()
    {
        _stage.Dispose();
        _chooser.Dispose();
        _regenerator.Dispose();
        _reader.Dispose();
        _networks.Dispose();
        _scene.Dispose();
        _out?.Dispose();
        _trace?.Dispose();
        _pairs?.Dispose();
        _triples?.Dispose();
    }

    private void Capture(CapturedFrame frame)
    {
        _lastTick = frame.Tick;
        _triples?.Captured(frame.Tick, frame.Frame);
        if (_describer.TryDescribe(new(frame.Frame, frame.Frame.Pts, _chooser.Scene), out var text))
            _assembler.Add(new SceneText { Tick = (uint)frame.Tick, Scene = (uint)text.Scene, Look = text.Look, Motion = text.Motion }, _now);
        Code(_chooser.Offer(frame, Available));
    }

    private double Available => _assembler.Available(_now, _rate.Lead);

    private void Code(Choice? choice)
    {
        if (choice is null)
            return;
        var available = Available;
        var coded = _stage.Encode(choice.Frame, _options.NoMotion ? [] : choice.Between, choice.Reason, available);
        _rate.Took(EncodeTime);
        _chooser.Coded();
        _keyframes++;
        _pairs?.Write(coded.Keyframe.Data.Span, choice.Frame.Frame);
        _encoding.Enqueue((_now + EncodeTime, coded));
        _trace?.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{coded.Keyframe.Tick}\t{coded.Keyframe.Reason}\t{coded.Keyframe.Data.Length}\t{coded.Motion?.Data.Length ?? 0}\t{_stage.LastSpend.Scale}\t{_stage.LastSpend.Quality}\t{available:0}\t{(_playout.Offset ?? default).Milliseconds:0}"));
    }

    private void Finish()
    {
        Code(_chooser.Finish());
        while (_encoding.TryDequeue(out var coded))
            _assembler.Add(coded.Coded.Keyframe, coded.Coded.Motion, _now);
        _assembler.Add(new StreamControl { CoveredTick = (uint)(_lastTick + 1), End = true }, _now);
    }

    private async Task AdvanceAsync(MediaTime until, CancellationToken stop)
    {
        for (; _now < until; _now += Step)
        {
            while (_encoding.TryPeek(out var coded) && coded.At <= _now)
            {
                _assembler.Add(coded.Coded.Keyframe, coded.Coded.Motion, _now);
                _encoding.Dequeue();
            }

            Send();
            while (_link.TryDeliver(_now, out var message))
            {
                _reader.Read(message, _now);
                // It is reported, and the report acknowledged.
                _acknowledgements.Enqueue(_now + _options.Delay);
            }

            await PresentAsync(stop);
        }
    }

    private void Send()
    {
        while (_acknowledgements.TryPeek(out var at) && at <= _now)
        {
            _acknowledgements.Dequeue();
            _budget.Charge(_now, WireOverhead.GrpcClear.PerSegment);
            _wire += WireOverhead.GrpcClear.PerSegment;
        }

        while (_assembler.DueAt(_now, urgent: !_helloSent) <= _now)
        {
            _helloSent = true;
            var message = _assembler.Take(_now);
            var cost = WireOverhead.GrpcClear.WireBytes(message.CalculateSize());
            _budget.Charge(_now, cost);
            _wire += cost;
            _link.Offer(_now, new(cost), message);
        }
    }

    private void Arrived(KeyframeArrival keyframe)
    {
        _playout.Arrived(_now, _lastArrived ?? keyframe.Pts);
        _lastArrived = keyframe.Pts;
        if (_schedule.Deadline is null)
            _schedule.Anchor(_playout.Offset!.Value, MediaTime.Zero);
    }

    private async Task PresentAsync(CancellationToken stop)
    {
        while (_schedule.Take(_now) is { } tick)
        {
            if (_scene.End is { } end && tick.Source >= end)
            {
                _ended = true;
                return;
            }

            if (_playout.Update(_now) is { } offset)
            {
                _schedule.Anchor(offset, MediaTime.Zero);
                _delays.Add(offset.Milliseconds);
            }

            _shownTime = tick.Source;
            _triples?.Shown(tick.Source);
            var (picture, provenance) = _regenerator.Regenerate(tick.Source);
            using var frame = new RegeneratedFrame(picture, provenance, tick.Number, _now);
            _shown++;
            _run = provenance is Provenance.Held or Provenance.None ? _run + 1 : 0;
            _held += provenance is Provenance.Held ? 1 : 0;
            if (_run > _longest)
                (_longest, _longestAt) = (_run, tick.Source);
            if (_writer is not null)
                await _writer.WriteAsync(frame, stop);
        }
    }

    private string Summary()
    {
        var seconds = MediaTime.FromTicks(_lastTick + 1, _fps).Seconds;
        _delays.Sort();
        return string.Create(CultureInfo.InvariantCulture,
            $"wire {_wire * 8 / 1000 / seconds:0.00} kbit/s, payload {_reader.Packets.Payload.Total * 8 / 1000.0 / seconds:0.00}, motion {100.0 * _reader.Packets.Payload.Motion / _reader.Packets.Payload.Total:0.0} %, described {_stage.Described / seconds:0.00}/s, keyframes {_keyframes / seconds:0.00}/s, held {_held} of {_shown}, longest {_longest / _fps.Hertz:0.00} s until {_longestAt.Seconds:0.0} s, delay {_delays[_delays.Count / 2]:0}, at most {_delays[^1]:0} ms");
    }
}
