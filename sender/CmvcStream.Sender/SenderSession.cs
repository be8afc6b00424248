using CmvcStream.Core.Control;
using CmvcStream.Core.Diagnostics;
using CmvcStream.Core.Media;
using CmvcStream.Core.Text;
using CmvcStream.Protos;
using CmvcStream.Sender.Encode;
using CmvcStream.Transport;

namespace CmvcStream.Sender;

/// <summary>
/// One stream: the capture task turns frames into parts, the pacing task sends packets as the link allows, and
/// <see cref="ReceiverConnection"/> keeps a session with the receiver and hears reports. They share the link, under one lock.
/// </summary>
internal sealed class SenderSession : IDisposable
{
    /// <summary>The farewell's time where there is no connection.</summary>
    private static readonly TimeSpan Unconnected = TimeSpan.FromSeconds(5);

    // Wire bytes, one after the other, of a connection, its first exchange and the hello.
    internal const int OpeningClear = 760, OpeningTls = 2400;

    /// <summary>Bits a second: no link of this product is slower.</summary>
    private const double Slowest = 1000;

    private readonly SendOptions _options;
    private readonly IFrameSource _source;
    private readonly SenderState _state;
    private readonly Action<string> _report;
    private readonly TimeProvider _time = TimeProvider.System;
    private readonly long _began;
    private readonly WireOverhead _overhead;
    private readonly SenderLink _link;
    private readonly KeyframeRateControl _rate;
    private readonly KeyframeStage _stage;
    private readonly FrameChooser _chooser;
    private readonly ReceiverConnection _connection;
    private readonly IDescriber _describer = new SignalDescriber();
    private readonly Lock _gate = new();
    private readonly SemaphoreSlim _wake = new(0);
    private readonly ulong _id = BitConverter.ToUInt64(System.Security.Cryptography.RandomNumberGenerator.GetBytes(8));
    private ISession<SenderMessage, ReceiverMessage>? _session;
    private CancellationTokenSource _gone = new();
    private WireCounters _connected;
    private double _charged;
    private TimeSpan _opening;
    private MediaTime _attached;
    private long _lastTick = -1;
    private int _changes;
    private bool _said;
    private string? _trouble;

    /// <param name="options">What was asked for.</param>
    /// <param name="source">Open.</param>
    /// <param name="connect">Opens further sessions when the first is lost.</param>
    /// <param name="state">Is told of everything.</param>
    /// <param name="report">Takes a message for the user.</param>
    public SenderSession(SendOptions options, IFrameSource source, Connect connect, SenderState state, Action<string> report)
    {
        (_options, _source, _state, _report) = (options, source, state, report);
        _began = _time.GetTimestamp();
        _overhead = options.To.Scheme == Uri.UriSchemeHttps ? WireOverhead.GrpcTls : WireOverhead.GrpcClear;
        _link = new(new(_overhead) { MaxRate = options.MaxRate, Mode = options.Mode });
        _rate = new(_link.Rate, _overhead, source.Rate, source.Size);
        _stage = new(source.Size, _rate);
        _chooser = new(_stage, _rate);
        _connection = new(connect, Hello, () => Locked(link => ToSpan(link.Silence(Now))), () => Locked(link => ToSpan(link.Estimator.RoundTrip ?? MediaTime.FromSeconds(1))),
            () => Locked(_ => _opening), report)
        {
            Changed = Attach,
            Heard = Hear,
        };
        state.Link = () => Locked(Describe);
    }

    private MediaTime Now => new(_time.GetElapsedTime(_began).Ticks / TimeSpan.TicksPerMicrosecond);

    /// <summary>Streams until the source ends or <paramref name="stop"/>, then says goodbye and waits until all was delivered.</summary>
    /// <param name="first">The first session.</param>
    /// <param name="farewell">How long what was said may take to be delivered at the end.</param>
    /// <param name="stop">Ends the source.</param>
    /// <exception cref="TransportException">The receiver refuses us, or is gone for good.</exception>
    public async Task RunAsync(ISession<SenderMessage, ReceiverMessage> first, TimeSpan farewell, CancellationToken stop)
    {
        using var end = new CancellationTokenSource();
        using var capture = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var connected = _connection.RunAsync(first, () => Volatile.Read(ref _said), end.Token);
        var capturing = CaptureAsync(capture.Token);
        var pacing = PaceAsync(end.Token);
        // Connection and pacing end early only when all is lost; then nothing else makes sense.
        if (await Task.WhenAny(pacing, connected, capturing) is var ended && (ended.IsFaulted || ended != capturing))
        {
            await capture.CancelAsync();
            await end.CancelAsync();
            await Task.WhenAll(capturing, pacing, connected).ContinueWith(_ => { }, TaskScheduler.Default);
            // What the receiver said is the better reason than the write that failed because of it.
            await (connected.IsFaulted ? connected : ended);
            throw new TransportException(TransportError.Broken, $"the receiver at {_options.To} ended the session");
        }

        await capturing;
        // Who stops a sender that has no receiver does not want to wait for one.
        var patience = Locked(link => link.Connected) || farewell < Unconnected ? farewell : Unconnected;
        end.CancelAfter(patience);
        try
        {
            await connected;
        }
        catch (OperationCanceledException) when (end.IsCancellationRequested)
        {
            var (backlog, delivered) = Locked(link => (link.Backlog + link.InFlight, link.Idle));
            if (!delivered)
                throw new TransportException(TransportError.Broken,
                    $"the last {backlog} bytes could not be delivered to {_options.To} within {patience.TotalSeconds:0} s; the link is too slow, or gone");
            _report("the receiver did not confirm the end of the stream");
        }
        finally
        {
            await end.CancelAsync();
            await pacing.ContinueWith(_ => { }, TaskScheduler.Default);
        }
    }

    public void Dispose()
    {
        _stage.Dispose();
        _chooser.Dispose();
        _wake.Dispose();
        _gone.Dispose();
    }

    private static TimeSpan ToSpan(MediaTime time) => TimeSpan.FromMicroseconds(time.Microseconds);

    private T Locked<T>(Func<SenderLink, T> ask)
    {
        lock (_gate)
            return ask(_link);
    }

    private async Task CaptureAsync(CancellationToken stop)
    {
        try
        {
            while (await _source.ReadAsync(stop) is { } frame)
            {
                _state.Captured++;
                _state.Dropped = _source.Dropped;
                if (_lastTick < 0)
                    Say(new StreamControl { EpochUs = (ulong)((DateTime.UtcNow - DateTime.UnixEpoch).TotalMicroseconds - MediaTime.FromTicks(frame.Tick, _source.Rate).Microseconds) });
                Volatile.Write(ref _lastTick, frame.Tick);
                Describe(frame);
                TellTrouble();
                Take(_chooser.Offer(frame, Available(), newest: !_source.HasNewer));
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested) { }

        if (!double.IsNegativeInfinity(Available()) && _chooser.Finish() is { } last)
            Take(last);
        Say(new StreamControl { CoveredTick = (uint)(_lastTick + 1), End = true });
        Volatile.Write(ref _said, true);
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
        (_state.Coded, _state.Described) = (_stage.Coded, _stage.Described);
        lock (_gate)
            _link.Add(coded.Keyframe, coded.Motion, Now);
        _wake.Release();
    }

    /// <summary>Payload bytes that a keyframe may have now; what the stages must know of the link is told to them on the way.</summary>
    private double Available()
    {
        double available;
        uint acknowledged;
        bool loss;
        lock (_gate)
        {
            available = _link.Available(Now, _rate.Lead);
            _rate.SetRate(_link.Rate);
            (acknowledged, loss) = (_link.Acknowledged, _link.TakeLoss());
        }

        _stage.Acknowledge(acknowledged);
        if (loss)
            _stage.Lose();
        return available;
    }

    private void Describe(CapturedFrame frame)
    {
        if (!_describer.TryDescribe(new(frame.Frame, frame.Frame.Pts, _chooser.Scene), out var text))
            return;
        lock (_gate)
            _link.Add(new SceneText { Tick = (uint)frame.Tick, Scene = (uint)text.Scene, Look = text.Look, Motion = text.Motion }, Now);
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
            _link.Add(control, Now);
        _wake.Release();
    }

    private async Task PaceAsync(CancellationToken end)
    {
        ISession<SenderMessage, ReceiverMessage>? completed = null;
        while (true)
        {
            SenderMessage? message;
            ISession<SenderMessage, ReceiverMessage>? session;
            CancellationToken gone;
            var next = Now + MediaTime.FromSeconds(1);
            bool done;
            lock (_gate)
            {
                Settle();
                (session, gone) = (_session, _gone.Token);
                // Nothing follows the end of a session.
                message = session == completed ? null : _link.Poll(Now, out next);
                if (message is not null)
                    _charged += _overhead.WireBytes(message.CalculateSize());
                done = Volatile.Read(ref _said) && message is null && _link.Said;
                TellChanges();
            }

            try
            {
                using var sending = CancellationTokenSource.CreateLinkedTokenSource(end, gone);
                if (message is not null)
                {
                    await session!.SendAsync(message, sending.Token);
                    _state.Left(message);
                    continue;
                }

                if (done && session is not null && session != completed)
                {
                    await session.CompleteAsync(sending.Token);
                    completed = session;
                }
            }
            catch (Exception e) when (e is TransportException || (e is OperationCanceledException && !end.IsCancellationRequested))
            {
                // Whoever listens hears why, and finds another session; what was lost is found out then.
                lock (_gate)
                {
                    if (_session == session)
                        _link.Disconnect();
                }
            }

            await _wake.WaitAsync((int)Math.Clamp(Math.Ceiling((next - Now).Milliseconds), 1, 250), end);
        }
    }

    /// <summary>Charges what the kernel sent beyond what was foreseen: acknowledgements, window updates, retransmissions.</summary>
    private void Settle()
    {
        if (_session?.Wire is not { Measured: true } wire)
            return;
        var unforeseen = wire.TxBytes - _connected.TxBytes - _charged;
        if (unforeseen <= 0)
            return;
        _charged += unforeseen;
        _link.Unforeseen(Now, unforeseen);
    }

    private void TellChanges()
    {
        for (; _changes < _link.Changes.Count; _changes++)
        {
            var change = _link.Changes[_changes];
            _state.Switched(change);
            _report($"{change.From.Name()} -> {change.To.Name()}: {change.Reason}");
        }
    }

    /// <summary>A session becomes the current one, or there is none now.</summary>
    private void Attach(ISession<SenderMessage, ReceiverMessage>? session, Welcome? welcome)
    {
        lock (_gate)
        {
            _gone.Cancel();
            _gone.Dispose();
            _gone = new();
            if (session is null)
            {
                _link.Disconnect();
                return;
            }

            _state.Connected(session);
            (_session, _attached) = (session, Now);
            // The first session says hello with its first packet; a later one has said it already, and what that took counts.
            (_connected, _charged) = (welcome is null ? session.Wire : default, 0);
            _link.Connect(Now, welcome is null ? Hello() : null);
        }

        if (welcome is not null)
            Hear(new ReceiverMessage { Welcome = welcome });
        _wake.Release();
    }

    private Hello Hello() => new()
    {
        Version = ProtocolVersions.Current,
        Sender = _id,
        OriginTick = (uint)(Volatile.Read(ref _lastTick) + 1),
        Source = new()
        {
            Name = _source.Name,
            Width = (uint)_source.Size.Width,
            Height = (uint)_source.Size.Height,
            TickRate = (uint)_source.Rate.Rate,
            TickScale = (uint)_source.Rate.Scale,
        },
    };

    private void Hear(ReceiverMessage message)
    {
        _state.Received.Count(message);
        lock (_gate)
        {
            var now = Now;
            _link.Hear(now, message);
            // As the link was when it was last heard: an outage makes it no slower.
            if (_link.Estimator.Known)
                _opening = Opening(_overhead, _link.Rate);
            else if (_opening == TimeSpan.Zero)
                _opening = ToSpan(now - _attached);
        }

        if (message.Welcome is { } welcome)
        {
            if (ProtocolVersions.WhyIncompatible(welcome.Version) is { } why)
                throw new TransportException(TransportError.Protocol, $"the receiver at {_options.To}: {why}");
            // It knows nothing of what was coded so far.
            if (!welcome.Resumed && _connection.Reconnections > 0)
                _stage.Restart();
        }

        if (message.KeyframeRequest is { } request)
        {
            _report($"the receiver asks for {(request.Intra ? "an intra" : "a")} keyframe: {request.Reason}");
            _chooser.Request(request.Intra);
        }

        _wake.Release();
    }

    /// <summary>How long a link needs for what opening a session takes.</summary>
    internal static TimeSpan Opening(WireOverhead overhead, Bitrate rate) =>
        TimeSpan.FromSeconds((overhead == WireOverhead.GrpcTls ? OpeningTls : OpeningClear) * 8 / Math.Max(rate.BitsPerSecond, Slowest));

    private LinkStatistics Describe(SenderLink link)
    {
        var now = Now;
        return new()
        {
            EstimateBps = link.Estimate(now)?.BitsPerSecond,
            RateBps = link.Rate.BitsPerSecond,
            Spending = new(Math.Round(1000 * _rate.TargetInterval / _source.Rate.Hertz), (int)_rate.Nominal, (int)_rate.MostMotion),
            RoundTripMs = link.Estimator.RoundTrip?.Milliseconds,
            QueueingMs = link.Estimator.Known ? link.Estimator.Queueing.Milliseconds : null,
            InFlightBytes = link.InFlight,
            Stalls = link.Estimator.Stalls,
            Lost = link.Estimator.LostPackets,
            DroppedKeyframes = link.DroppedKeyframes,
            Reconnections = _connection.Reconnections,
        };
    }
}
