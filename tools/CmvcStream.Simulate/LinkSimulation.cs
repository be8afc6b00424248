using CmvcStream.Core.Control;
using CmvcStream.Core.Diagnostics;
using CmvcStream.Core.Media;
using CmvcStream.Protos;
using CmvcStream.Sender;
using Google.Protobuf;

namespace CmvcStream.Simulate;

/// <summary>A link whose settings change over time, and who uses it.</summary>
internal sealed record LinkScenario(int Seconds)
{
    public LinkSettings Link { get; init; } = new();

    /// <summary>Settings from a time (seconds) on, in order.</summary>
    public IReadOnlyList<(double At, LinkSettings Link)> Changes { get; init; } = [];

    public Bitrate? MaxRate { get; init; }

    public int Seed { get; init; }

    /// <summary>Over UDP: what is lost is lost. Else over TCP.</summary>
    public bool Datagrams { get; init; }

    /// <summary>Takes the pacing away: everything leaves as soon as it is there. For the test that shows that the pacing is needed.</summary>
    public bool Unpaced { get; init; }
}

/// <summary>The state of sender and link at a moment; QueueSeconds: how long the link will take for what waits before and in it.</summary>
internal readonly record struct LinkMoment(
    double At, double Capacity, double Estimate, double Rate, StreamMode Mode, double QueueBytes, double QueueSeconds, int InFlight, double Granted, long WireSent, long Carried);

/// <summary>
/// The sender's and the receiver's side of a link (<see cref="SenderLink"/>, <see cref="ReportSchedule"/>) over a model of it, with time that is
/// only counted and a codec that is a recording: minutes in a second.
/// </summary>
internal sealed class LinkSimulation
{
    private static readonly MediaTime Step = MediaTime.FromMilliseconds(10);
    private static readonly MediaTime Coding = MediaTime.FromMilliseconds(150);
    private static readonly FrameRate Fps = FrameRate.PerSecond(15);
    private static readonly PixelSize Size = new(480, 270);

    /// <summary>Seconds, as the sender has them (ReceiverConnection): until a contender is tried, and until another takes its place; how many times what opening a connection takes.</summary>
    private const double Patience = 3.5, PatienceOpenings = 3, ContenderLife = 5, ContenderOpenings = 2;

    private readonly LinkScenario _scenario;
    private readonly SenderLink _sender;
    private readonly KeyframeRateControl _rate;
    private readonly RecordedCodec _codec;
    private ReportSchedule _reports;
    private readonly LinkModel<SenderMessage?> _up;
    private readonly LinkModel<ReceiverMessage?> _down;
    private LinkStream<SenderMessage?> _upStream;
    private LinkStream<ReceiverMessage?> _downStream;
    private (LinkStream<SenderMessage?> Stream, MediaTime Since)? _contender;
    private readonly Queue<(int Bytes, SenderMessage Message)> _kernel = new();
    private readonly Queue<(MediaTime At, int Bytes, long Tick, bool Intra)> _coding = new();
    private readonly PacketReader _packets = new();
    private readonly List<Keyframe> _complete = [];
    private readonly LinkTcpAcks _upAcks = new(), _downAcks = new();
    private MediaTime _now;
    private uint _index;
    private long _lastTick = -1, _wire;
    private bool _intra = true;
    private double _opening;    // seconds that opening a connection takes, as the link was when it was last heard

    public LinkSimulation(LinkScenario scenario, double[] levels)
    {
        _scenario = scenario;
        var overhead = WireOverhead.GrpcClear;
        _sender = new(new(overhead) { MaxRate = scenario.MaxRate, Unpaced = scenario.Unpaced, Ordered = !scenario.Datagrams });
        _reports = new(ordered: !scenario.Datagrams);
        _rate = new(_sender.Rate, overhead, Fps, Size);
        _codec = new(Size, scenario.Seed, levels);
        _up = new(scenario.Link with { Seed = scenario.Seed });
        _down = new(scenario.Link with { Seed = scenario.Seed + 1 });
        (_upStream, _downStream) = (_up.OpenStream(), _down.OpenStream());
    }

    /// <summary>Each packet: when it left, bytes on the wire, bytes that had been allowed by then.</summary>
    public List<(double At, int Wire, double Granted)> Packets { get; } = [];

    /// <summary>Fresh connections after the first.</summary>
    public int Reconnections { get; private set; }

    /// <summary>Each keyframe: when it was captured and when it was whole at the receiver.</summary>
    public List<(double Captured, double Arrived)> Keyframes { get; } = [];

    /// <summary>Every 100 ms.</summary>
    public List<LinkMoment> Moments { get; } = [];

    public SenderLink Sender => _sender;

    /// <summary>Milliseconds that packets of the sender were in the link's queue, their own sending included.</summary>
    public Percentiles? QueueDelay => _up.QueueDelay;

    public void Run()
    {
        var changes = new Queue<(double At, LinkSettings Link)>(_scenario.Changes);
        _sender.Connect(_now, new Hello { Sender = 1, Source = new() { Name = "simulated", Width = (uint)Size.Width, Height = (uint)Size.Height, TickRate = 15, TickScale = 1 } });
        _sender.Add(new SceneText { Tick = 0, Scene = 1, Look = "bright daylight; grey, green and blue", Motion = "camera still" }, _now);
        _now += MediaTime.FromSeconds(1);   // the connection was made
        for (var step = 0L; _now.Seconds < _scenario.Seconds; step++, _now += Step)
        {
            if (changes.TryPeek(out var change) && change.At <= _now.Seconds)
            {
                changes.Dequeue();
                _up.Change(_now, change.Link);
                _down.Change(_now, change.Link);
            }

            Capture();
            Race();
            Send();
            Receive();
            if (step % 10 == 0)
                Watch();
        }
    }

    private void Capture()
    {
        while (_coding.TryPeek(out var coded) && coded.At <= _now)
        {
            _coding.Dequeue();
            var keyframe = new Keyframe { Index = ++_index, Tick = (uint)coded.Tick, Data = ByteString.CopyFrom(new byte[coded.Bytes]), Check = 300 };
            if (coded.Intra)
                keyframe.Base = 0;
            _sender.Add(keyframe, null, _now);
        }

        var tick = (long)(_now.Seconds * Fps.Hertz);
        var available = _sender.Available(_now, _rate.Lead);
        _rate.SetRate(_sender.Rate);
        if (_coding.Count > 0 || tick - _lastTick < _rate.TargetInterval || !_rate.Affords(available))
            return;
        // Predicting from an acknowledged keyframe costs about what predicting from the last does.
        _sender.TakeLoss();
        var bytes = _codec.Code(_rate, _intra, available);
        _rate.Took(Coding);
        _coding.Enqueue((_now + Coding, bytes, tick, _intra));
        (_intra, _lastTick) = (false, tick);
    }

    private void Send()
    {
        while (_sender.Poll(_now, out _) is { } message)
        {
            var wire = WireOverhead.GrpcClear.WireBytes(message.CalculateSize());
            Packets.Add((_now.Seconds, wire, _sender.Granted));
            _wire += wire;
            _kernel.Enqueue((wire, message));
        }

        while (_kernel.TryPeek(out var next) && (_scenario.Datagrams ? Offer(next) : _upStream.TrySend(_now, new(next.Bytes), next.Message)))
        {
            _upAcks.OnSent();
            _kernel.Dequeue();
        }

        Acknowledge(_upAcks, () => _up.Offer(_now, new(LinkTcp.Header), null));
        Acknowledge(_downAcks, () => _down.Offer(_now, new(LinkTcp.Header), null));
    }

    /// <summary>
    /// A fresh connection beside a silent one, as the sender opens it: its hello is sent, and when that has come the stream goes on there. The
    /// welcome's way back is taken for as long as the delay.
    /// </summary>
    private void Race()
    {
        if (_scenario.Datagrams)
            return;
        if (_sender.Silence(_now).Seconds < Math.Max(Patience, PatienceOpenings * _opening))
        {
            _contender?.Stream.Close();
            _contender = null;
        }
        else if (_contender is not { } running || (_now - running.Since).Seconds > Math.Max(ContenderLife, ContenderOpenings * _opening))
        {
            _contender?.Stream.Close();
            var stream = _up.OpenStream(handshake: true);
            stream.TrySend(_now, new(SenderSession.OpeningClear), new SenderMessage { Hello = new() { Sender = 1 } });
            _contender = (stream, _now);
        }
    }

    private void TakeOver()
    {
        _upStream.Close();
        _downStream.Close();
        (_upStream, _downStream, _contender) = (_contender!.Value.Stream, _down.OpenStream(), null);
        _kernel.Clear();
        _reports = new();
        _sender.Connect(_now, null);
        _sender.Hear(_now, new() { Welcome = new() { Resumed = true, Keyframe = _index } });
        Reconnections++;
    }

    private bool Offer((int Bytes, SenderMessage Message) packet)
    {
        _up.Offer(_now, new(packet.Bytes), packet.Message); // what is dropped is lost
        return true;
    }

    private void Acknowledge(LinkTcpAcks acks, Func<bool> send)
    {
        if (!acks.OnTimer(_now))
            return;
        send();
        if (acks == _upAcks)
            _sender.Unforeseen(_now, LinkTcp.Header);
    }

    private void Receive()
    {
        while (_up.TryDeliver(_now, out var message))
        {
            if (message is null)
                continue;
            if (message is { Sequence: 0 })
            {
                if (_contender is not null)
                    TakeOver();
                continue;
            }

            _downAcks.OnArrived(_now);
            _reports.Arrived(_now, message);
            _complete.Clear();
            _packets.Read(message, _complete);
            foreach (var keyframe in _complete)
                Keyframes.Add((MediaTime.FromTicks(keyframe.Tick, Fps).Seconds, _now.Seconds));
        }

        if (_reports.Take(_now, _index, 0, 0) is { } report)
        {
            var reply = new ReceiverMessage { Report = report };
            var bytes = new DataSize(WireOverhead.GrpcClear.WireBytes(reply.CalculateSize()));
            if (_scenario.Datagrams)
                _down.Offer(_now, bytes, reply);
            else
                _downStream.TrySend(_now, bytes, reply);
            _downAcks.OnSent();
        }

        while (_down.TryDeliver(_now, out var back))
        {
            if (back is null)
                continue;
            _upAcks.OnArrived(_now);
            _sender.Hear(_now, back);
            _opening = SenderSession.Opening(WireOverhead.GrpcClear, _sender.Rate).TotalSeconds;
        }
    }

    /// <summary>Bit/s that the link could carry now: of a trace, over the second around.</summary>
    private double Capacity()
    {
        if (_up.Settings.Trace is not { } trace)
            return _up.Settings.Outages.Any(o => o.Start <= _now && _now < o.End) ? 0 : _up.Settings.Rate?.BitsPerSecond ?? 0;
        return trace.BytesBetween(_now - MediaTime.FromMilliseconds(500), _now + MediaTime.FromMilliseconds(500)) * 8;
    }

    /// <summary>Seconds that the link, as it is or as its trace goes on, needs for so many bytes.</summary>
    private double SecondsFor(double bytes)
    {
        if (bytes <= 0)
            return 0;
        var outage = _up.Settings.Outages.Where(o => o.Start <= _now && _now < o.End).Select(o => (o.End - _now).Seconds).DefaultIfEmpty().Max();
        if (_up.Settings.Trace is not { } trace)
            return outage + (_up.Settings.Rate is { } rate ? bytes / rate.BytesPerSecond : 0);
        double enough = 1, less = 0;
        while (Carries(enough) < bytes && enough < 1000)
            (less, enough) = (enough, 2 * enough);
        while (enough - less > 0.01)
        {
            var middle = (less + enough) / 2;
            (less, enough) = Carries(middle) < bytes ? (middle, enough) : (less, middle);
        }

        return enough;

        double Carries(double seconds) => trace.BytesBetween(_now, _now + MediaTime.FromSeconds(seconds));
    }

    private void Watch()
    {
        var queue = _up.Counters.Queued.Bytes + _kernel.Sum(k => k.Bytes);
        Moments.Add(new(_now.Seconds, Capacity(), _sender.Estimate(_now)?.BitsPerSecond ?? 0, _sender.Rate.BitsPerSecond, _sender.Control.Mode,
            queue, SecondsFor(queue), _sender.InFlight, _sender.Granted, _wire, _up.Counters.DeliveredBytes.Bytes));
    }
}
