using CmvcStream.Core.Control;
using CmvcStream.Core.Media;
using CmvcStream.Core.Text;
using CmvcStream.Protos;
using CmvcStream.Sender.Encode;
using CmvcStream.Transport;

namespace CmvcStream.Sender;

/// <summary>
/// One session: the capture task turns frames into parts, the pacing task sends packets within the wire budget, the listening task
/// hears reports. They share the assembler, under one lock.
/// </summary>
internal sealed class SenderSession : IDisposable
{
    private readonly SendOptions _options;
    private readonly IFrameSource _source;
    private readonly ISession<SenderMessage, ReceiverMessage> _session;
    private readonly SenderState _state;
    private readonly Action<string> _report;
    private readonly TimeProvider _time = TimeProvider.System;
    private readonly long _began;
    private readonly WireBudget _budget;
    private readonly PacketAssembler _assembler;
    private readonly WireOverhead _overhead;
    private readonly KeyframeRateControl _rate;
    private readonly KeyframeStage _stage;
    private readonly FrameChooser _chooser;
    private readonly IDescriber _describer = new SignalDescriber();
    private readonly Lock _gate = new();
    private readonly SemaphoreSlim _wake = new(0);
    private readonly WireCounters _connected;
    private double _charged;
    private bool _said, _helloSent;
    private string? _trouble;

    public SenderSession(SendOptions options, IFrameSource source, ISession<SenderMessage, ReceiverMessage> session, SenderState state, Action<string> report)
    {
        (_options, _source, _session, _state, _report) = (options, source, session, state, report);
        _began = _time.GetTimestamp();
        _connected = session.Wire;
        _budget = new(options.MaxRate);
        _overhead = options.To.Scheme == Uri.UriSchemeHttps ? WireOverhead.GrpcTls : WireOverhead.GrpcClear;
        _assembler = new(_overhead, _budget);
        _rate = new(options.MaxRate, _overhead, source.Rate, source.Size);
        _stage = new(source.Size, _rate);
        _chooser = new(_stage, _rate);
    }

    private MediaTime Now => new(_time.GetElapsedTime(_began).Ticks / TimeSpan.TicksPerMicrosecond);

    /// <summary>Streams until the source ends or <paramref name="stop"/>, then says goodbye and waits until all was delivered.</summary>
    public async Task RunAsync(TimeSpan farewell, CancellationToken stop)
    {
        using var end = new CancellationTokenSource();
        var listening = ListenAsync(end.Token);
        using var capture = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var capturing = CaptureAsync(capture.Token);
        var pacing = PaceAsync(end.Token);
        // The listening task ends early only when the session is broken or refused; then nothing else makes sense.
        if (await Task.WhenAny(pacing, listening, capturing) is var first && first.IsFaulted)
        {
            await capture.CancelAsync();
            await end.CancelAsync();
            await Task.WhenAll(capturing, pacing, listening).ContinueWith(_ => { }, TaskScheduler.Default);
            // What the receiver said is the better reason than the write that failed because of it.
            await (listening.IsFaulted ? listening : first);
        }

        if (first == listening && !capturing.IsCompleted)
        {
            await capture.CancelAsync();
            await end.CancelAsync();
            throw new TransportException(TransportError.Broken, $"the receiver at {_options.To} ended the session; start it again, or look at what it says");
        }

        await capturing;
        end.CancelAfter(farewell);
        try
        {
            await pacing;
        }
        catch (OperationCanceledException) when (end.IsCancellationRequested)
        {
            throw new TransportException(TransportError.Broken,
                $"the last {BacklogBytes()} bytes could not be delivered to {_options.To} within {farewell.TotalSeconds:0} s; the link is slower than --max-rate");
        }

        await _session.CompleteAsync(end.Token);
        try
        {
            await listening;
        }
        catch (OperationCanceledException) when (end.IsCancellationRequested)
        {
            _report("the receiver did not confirm the end of the stream");
        }
    }

    public void Dispose()
    {
        _stage.Dispose();
        _chooser.Dispose();
        _wake.Dispose();
    }

    private async Task CaptureAsync(CancellationToken stop)
    {
        long lastTick = -1;
        try
        {
            while (await _source.ReadAsync(stop) is { } frame)
            {
                _state.Captured++;
                _state.Dropped = _source.Dropped;
                if (lastTick < 0)
                    Say(new StreamControl { EpochUs = (ulong)((DateTime.UtcNow - DateTime.UnixEpoch).TotalMicroseconds - MediaTime.FromTicks(frame.Tick, _source.Rate).Microseconds) });
                lastTick = frame.Tick;
                Describe(frame);
                TellTrouble();
                Take(_chooser.Offer(frame, Available(), newest: !_source.HasNewer));
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested) { }

        if (_chooser.Finish() is { } last)
            Take(last);
        Say(new StreamControl { CoveredTick = (uint)(lastTick + 1), End = true });
        _said = true;
        _wake.Release();
    }

    private void Take(Choice? choice)
    {
        if (choice is null)
            return;
        var began = _time.GetTimestamp();
        var coded = _stage.Encode(choice.Frame, choice.Between, choice.Reason, Available());
        var took = _time.GetElapsedTime(began);
        _state.EncodeTime.Add(took.TotalMilliseconds);
        _rate.Took(MediaTime.FromMilliseconds(took.TotalMilliseconds));
        _chooser.Coded();
        _state.Coded = _stage.Coded;
        lock (_gate)
            _assembler.Add(coded.Keyframe, coded.Motion, Now);
        _wake.Release();
    }

    private int BacklogBytes()
    {
        lock (_gate)
            return _assembler.Backlog;
    }

    private double Available()
    {
        lock (_gate)
            return _assembler.Available(Now, _rate.Lead);
    }

    private void Describe(CapturedFrame frame)
    {
        if (!_describer.TryDescribe(new(frame.Frame, frame.Frame.Pts, _chooser.Scene), out var text))
            return;
        lock (_gate)
            _assembler.Add(new SceneText { Tick = (uint)frame.Tick, Scene = (uint)text.Scene, Look = text.Look, Motion = text.Motion }, Now);
        _wake.Release();
    }

    private void TellTrouble()
    {
        if (_source.Trouble == _trouble)
            return;
        _trouble = _source.Trouble;
        _report(_trouble ?? "the source is back");
        Say(new StreamControl { SourceTrouble = _trouble is { Length: > 60 } ? _trouble[..60] : _trouble ?? "" });
    }

    private void Say(StreamControl control)
    {
        lock (_gate)
            _assembler.Add(control, Now);
        _wake.Release();
    }

    private async Task PaceAsync(CancellationToken end)
    {
        while (true)
        {
            SenderMessage? message = null;
            MediaTime? due;
            lock (_gate)
            {
                Settle();
                var now = Now;
                due = _assembler.DueAt(now, urgent: !_helloSent);
                if (due <= now)
                    message = _assembler.Take(now);
                else if (due is null && _said)
                    return;
            }

            if (message is null)
            {
                await _wake.WaitAsync(due is { } d ? Math.Max(1, (int)Math.Ceiling((d - Now).Milliseconds)) : 250, end);
                continue;
            }

            if (!_helloSent)
                Introduce(message);
            var payload = message.CalculateSize();
            var cost = _overhead.WireBytes(payload);
            lock (_gate)
            {
                _charged += cost;
                _budget.Charge(Now, cost);
            }

            await _session.SendAsync(message, end);
            _state.Left(message);
        }
    }

    /// <summary>Charges what the kernel sent beyond what was foreseen: acknowledgements, window updates, retransmissions.</summary>
    private void Settle()
    {
        if (_session.Wire is not { Measured: true } wire)
            return;
        var unforeseen = wire.TxBytes - _connected.TxBytes - _charged;
        if (unforeseen <= 0)
            return;
        _charged += unforeseen;
        _budget.Charge(Now, unforeseen);
    }

    private void Introduce(SenderMessage message)
    {
        _helloSent = true;
        var id = new byte[8];
        System.Security.Cryptography.RandomNumberGenerator.Fill(id);
        message.Hello = new()
        {
            Version = ProtocolVersions.Current,
            Sender = BitConverter.ToUInt64(id),
            Source = new()
            {
                Name = _source.Name,
                Width = (uint)_source.Size.Width,
                Height = (uint)_source.Size.Height,
                TickRate = (uint)_source.Rate.Rate,
                TickScale = (uint)_source.Rate.Scale,
            },
        };
    }

    private async Task ListenAsync(CancellationToken end)
    {
        await foreach (var message in _session.ReceiveAsync(end))
        {
            _state.Received.Count(message);
            if (message.Welcome is { } welcome && ProtocolVersions.WhyIncompatible(welcome.Version) is { } why)
                throw new TransportException(TransportError.Protocol, $"the receiver at {_options.To}: {why}");
            if (message.KeyframeRequest is { } request)
            {
                _report($"the receiver asks for an intra keyframe: {request.Reason}");
                _chooser.Request();
            }
        }
    }
}
