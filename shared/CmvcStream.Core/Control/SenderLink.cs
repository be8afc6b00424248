using CmvcStream.Core.Media;
using CmvcStream.Protos;

namespace CmvcStream.Core.Control;

/// <summary>How a sender uses its link.</summary>
/// <param name="Overhead">What a message costs on the way that it takes.</param>
public sealed record SenderLinkOptions(WireOverhead Overhead)
{
    /// <summary>Nobody gains from more: at this rate every keyframe has its best quality.</summary>
    public static readonly Bitrate Ceiling = new(50_000);

    /// <summary>Assumed of a link of which nothing is known.</summary>
    public static readonly Bitrate Assumed = new(8000);

    /// <summary>Never more than this, and what is assumed at first; null: whatever the link carries, up to <see cref="Ceiling"/>.</summary>
    public Bitrate? MaxRate { get; init; }

    public ModeChoice Mode { get; init; }

    /// <summary>Holds to no rate: for the test that shows that the pacing is needed.</summary>
    public bool Unpaced { get; init; }

    /// <summary>Messages arrive whole and in order (gRPC); else some may be lost or overtaken.</summary>
    public bool Ordered { get; init; } = true;
}

/// <summary>
/// The sender's side of the link: what leaves, and when. Parts go in, packets come out, reports come back. It holds what waits
/// (<see cref="PacketAssembler"/>), what is under way (<see cref="Flight"/>), what the link carries (<see cref="LinkEstimator"/>), what of it
/// may be spent (<see cref="RateController"/>, <see cref="WireBudget"/>), and what must be said again on a new connection. Pure: time is a
/// parameter, so that sender and receiver run over a <see cref="LinkModel{T}"/> in virtual time as they do over sockets. Not safe from several threads.
/// </summary>
public sealed class SenderLink
{
    /// <summary>A keyframe that has waited for longer is old, and what a viewer wants is the newest.</summary>
    public static readonly MediaTime Stale = MediaTime.FromSeconds(3);

    /// <summary>Payload and framing of a report; its TCP/IP headers are those of the acknowledgement that would leave anyhow.</summary>
    private const int ReportBytes = 30;

    /// <summary>What feedback, and what packets that only ask for it, may take of their direction.</summary>
    private const double FeedbackShare = 0.1;

    /// <summary>Seconds: two satellite hops and a modem's interleaver; what takes longer is a queue.</summary>
    private const double LongestRoundTrip = 2.5;

    // Seconds: assumed until a report came; what feedback may be late by without stopping the sender.
    private const double FirstRoundTrip = 0.8, Slack = 0.12;

    /// <summary>Seconds that TCP needs for what it sends again, while what is behind it may go on.</summary>
    private const double Retransmission = 1.5;

    /// <summary>Wire bytes that may be under way to a receiver of which nothing is known: a text and a piece of a picture, seconds at 1 kbit/s.</summary>
    private const int FirstFlight = 800;

    /// <summary>Wire bytes below which a packet tells the delay without serialisation (<see cref="LinkEstimator"/>).</summary>
    private const int SmallPacket = 150;

    /// <summary>What packets that are small on purpose may take.</summary>
    private const double ProbeShare = 0.01;

    // Packets that overtake each other by more are taken for lost.
    private const uint Overtaken = 1;

    private static readonly Google.Protobuf.ByteString Padding = Google.Protobuf.ByteString.CopyFrom(new byte[150]);

    /// <summary>How long a hello waits for the first text.</summary>
    private static readonly MediaTime FirstText = MediaTime.FromSeconds(1);

    /// <summary>How long all else waits for the first answer: at 1 kbit/s the hello alone takes 6 s. Where messages may be lost, the answer may be.</summary>
    private static readonly MediaTime FirstAnswer = MediaTime.FromSeconds(10), FirstAnswerUnlessLost = MediaTime.FromSeconds(2.5);

    /// <summary>Seconds: where packets are lost, the last ones may be: a small one asks for them, and again after twice as long, so many times.</summary>
    private const int LossProbe = 1, MostDoubled = 3;

    private static readonly MediaTime Again = MediaTime.FromMilliseconds(50);

    private readonly SenderLinkOptions _options;
    private readonly Flight _flight = new();
    private readonly WireBudget _budget;
    private readonly PacketAssembler _assembler;
    private readonly StreamControl _said = new();
    private SceneText? _text;
    private Hello? _hello;
    private MediaTime _updated, _lastSent, _lastSmall, _busyUntil, _began;
    private double _opening;
    private uint _interval;
    private int _probes;
    private bool _loss, _asked, _padded;

    public SenderLink(SenderLinkOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        _options = options;
        Estimator = new(_flight);
        Control = new(options.MaxRate ?? SenderLinkOptions.Ceiling, options.MaxRate ?? SenderLinkOptions.Assumed, options.Mode);
        _budget = new(Control.Rate, options.Unpaced);
        _assembler = new(options.Overhead, _budget);
    }

    public LinkEstimator Estimator { get; }

    public RateController Control { get; }

    /// <summary>A connection is there; else nothing leaves.</summary>
    public bool Connected { get; private set; }

    /// <summary>Somebody at the other end has answered on this connection.</summary>
    public bool Answered { get; private set; }

    /// <summary>Of wire bytes, what may leave.</summary>
    public Bitrate Rate => _budget.Rate;

    /// <summary>Wire bytes that were allowed so far.</summary>
    public double Granted => _budget.Granted;

    /// <summary>What the link carries; null: nothing was measured yet.</summary>
    public Bitrate? Estimate(MediaTime now) => Estimator.Known ? Estimator.Estimate(now, Rate) : null;

    /// <summary>Payload bytes that wait to leave.</summary>
    public int Backlog => _assembler.Backlog;

    /// <summary>Wire bytes sent and not reported yet.</summary>
    public int InFlight => _flight.Bytes;

    /// <summary>Keyframes that were coded and not sent, as they had become old.</summary>
    public long DroppedKeyframes { get; private set; }

    /// <summary>Newest keyframe that the receiver has.</summary>
    public uint Acknowledged { get; private set; }

    /// <summary>Changes of mode so far.</summary>
    public List<ModeChange> Changes { get; } = [];

    /// <summary>Everything was sent.</summary>
    public bool Said => !_asked && _assembler.Backlog == 0;

    /// <summary>Everything was sent and reported.</summary>
    public bool Idle => Said && _flight.Count == 0;

    /// <summary>A new connection: what was under way on the last one is lost or will be, and what concerns the whole stream is said again.</summary>
    /// <param name="now">The sender's clock.</param>
    /// <param name="hello">Goes first; null: it was said already.</param>
    public void Connect(MediaTime now, Hello? hello)
    {
        if (_flight.Count > 0)
            _loss = true;
        _flight.Clear();
        Estimator.Restart();
        Drop(_assembler.DropKeyframes());
        _hello = hello;
        (Connected, Answered, _interval, _began, _opening) = (true, false, 0, now, 0);
        if (_text is not null)
            _assembler.Add(_text.Clone(), now);
        if (_said.CalculateSize() > 0)
            _assembler.Add(_said.Clone(), now);
        _asked = _said.End;
    }

    /// <summary>The connection is gone.</summary>
    public void Disconnect() => (Connected, Answered) = (false, false);

    public void Add(Keyframe keyframe, GapMotion? motion, MediaTime now) => _assembler.Add(keyframe, motion, now);

    public void Add(SceneText text, MediaTime now)
    {
        ArgumentNullException.ThrowIfNull(text);
        var whole = text.Clone();
        if (_text is not null)
            PacketAssembler.Complete(whole, _text);
        _text = whole;
        _assembler.Add(text, now);
    }

    public void Add(StreamControl control, MediaTime now)
    {
        _said.MergeFrom(control);
        _assembler.Add(control, now);
        _asked |= control.End;
    }

    /// <summary>
    /// Payload bytes that a keyframe may have that leaves within a time; negative infinity while none may be coded at all: no
    /// connection, mode TT2V, or too much under way.
    /// </summary>
    public double Available(MediaTime now, MediaTime within)
    {
        Update(now);
        if (!Connected || Control.Mode == StreamMode.Tt2V || _flight.BytesAhead > Window(now) + Rate.BytesPerSecond * within.Seconds)
            return double.NegativeInfinity;
        return _assembler.Available(now, within);
    }

    /// <summary>Whether keyframes were lost or dropped since this was last asked: the next one must not be predicted from them.</summary>
    public bool TakeLoss()
    {
        var loss = _loss;
        _loss = false;
        return loss;
    }

    /// <summary>The next packet, where one may leave now; it counts as sent.</summary>
    /// <param name="now">The sender's clock.</param>
    /// <param name="next">When to ask again at the latest, if nothing else happens.</param>
    public SenderMessage? Poll(MediaTime now, out MediaTime next)
    {
        next = now + Again;
        Update(now);
        if (!Connected)
            return null;
        Drop(_assembler.DropStale(now, Stale));
        // Hello and the first text share a packet, if that comes at once.
        if (_hello is not null && _text is null && now < _began + FirstText)
            return null;
        // On a link of which nothing is known, nothing may join the hello in its segment and delay it.
        if (_hello is null && !Answered && !Estimator.Known && now < _began + (_options.Ordered ? FirstAnswer : FirstAnswerUnlessLost))
            return null;
        var due = _assembler.DueAt(now, urgent: _hello is not null);
        var quiet = _lastSent + Heartbeat;
        var probe = Max(_lastSmall + ProbeInterval, _busyUntil);
        var heartbeat = Max(quiet < probe ? quiet : probe, _budget.ReadyAt(now, _options.Overhead.WireBytes(8)));
        var at = due is { } d && d < heartbeat ? d : heartbeat;
        if (at > now)
        {
            if (at < next)
                next = at;
            return null;
        }

        if (_hello is null && !HasRoom(now))
        {
            if (_options.Ordered || now < _lastSent + MediaTime.FromSeconds(LossProbe << _probes) || _budget.ReadyAt(now, _options.Overhead.WireBytes(8)) > now)
                return null;
            _probes = Math.Min(_probes + 1, MostDoubled);
            return Leave(_assembler.Empty(), now);
        }

        next = now;
        var message = _assembler.Take(now);
        // Packets of one size do not tell a faster link from a shorter one.
        if (due is null && probe > now && (_padded = !_padded))
            message.Padding = Padding;
        return Leave(message, now);
    }

    /// <summary>Charges wire bytes that were not foreseen: acknowledgements, retransmissions, the making of a connection.</summary>
    public void Unforeseen(MediaTime now, double wireBytes)
    {
        _budget.Charge(now, wireBytes);
        Estimator.Unreported(now, (int)wireBytes);
        if (!Answered)
            _opening += wireBytes;
    }

    /// <summary>Hears what the receiver says.</summary>
    public void Hear(MediaTime now, ReceiverMessage message)
    {
        ArgumentNullException.ThrowIfNull(message);
        Answered = true;
        if (message.Welcome is { } welcome)
            Acknowledged = welcome.Resumed ? Math.Max(Acknowledged, welcome.Keyframe) : 0;
        if (message.Report is { } report)
            Hear(now, report);
    }

    /// <summary>Before anything was measured.</summary>
    private Bitrate? Guess => _options.MaxRate is null && Estimator.Guess is { } guess
        ? new(Math.Min(guess.BitsPerSecond, SenderLinkOptions.Assumed.BitsPerSecond))
        : null;

    /// <summary>How long nothing of what is under way was reported beyond what the link explains; zero while all is well.</summary>
    public MediaTime Silence(MediaTime now)
    {
        if (_flight.Oldest is not { } oldest)
            return MediaTime.Zero;
        if (Estimator.Known && Estimator.RoundTrip is not null)
            return Estimator.OverdueFor(now);
        var expected = FirstRoundTrip + 2 * oldest.WireBytes / Rate.BytesPerSecond;
        return Max(MediaTime.Zero, now - oldest.SentAt - MediaTime.FromSeconds(expected));
    }

    /// <summary>Wire bytes that may be under way ahead of the newest packet: what leaves while feedback comes.</summary>
    private double Window(MediaTime now) => _options.MaxRate is null && !Estimator.Known
        ? FirstFlight
        : Rate.BytesPerSecond * (Math.Min(Estimator.RoundTrip?.Seconds ?? FirstRoundTrip, LongestRoundTrip) + Slack + ReportInterval.Seconds / 2 + (Estimator.Lossy ? Retransmission : 0));

    private bool HasRoom(MediaTime now) => _flight.Count == 0 || (_flight.BytesAhead <= Window(now) && !Estimator.Doubtful(now));

    /// <summary>Reports come no closer together.</summary>
    private MediaTime ReportInterval => MediaTime.FromSeconds(Math.Clamp(ReportBytes / (FeedbackShare * Rate.BytesPerSecond), 0.1, 5));

    /// <summary>A link of which nothing is heard is not known: something leaves at least so often, sooner where something needs to be confirmed.</summary>
    private MediaTime Heartbeat => MediaTime.FromSeconds(Estimator.Unconfirmed
        ? 1
        : Math.Clamp(_options.Overhead.WireBytes(Padding.Length / 2) / (FeedbackShare * Rate.BytesPerSecond), 1.5, 8));

    /// <summary>Where all packets are large, a small one goes now and then.</summary>
    private MediaTime ProbeInterval => MediaTime.FromSeconds(Math.Clamp(_options.Overhead.WireBytes(8) / (ProbeShare * Rate.BytesPerSecond), 4, 20));

    private static MediaTime Max(MediaTime a, MediaTime b) => a > b ? a : b;

    private void Hear(MediaTime now, ReceiverReport report)
    {
        Acknowledged = Math.Max(Acknowledged, report.Keyframe);
        _probes = 0;
        // In order of arrival.
        for (var i = report.Others.Count - 2; i >= 0; i -= 2)
            Arrived(now, report.Sequence - (uint)report.Others[i], report.ArrivalMs - (long)report.Others[i + 1]);
        Arrived(now, report.Sequence, report.ArrivalMs);
        if (!_options.Ordered && report.Sequence > Overtaken)
        {
            var (packets, keyframe) = _flight.LoseBefore(report.Sequence - Overtaken);
            Estimator.Lost(packets);
            _loss |= keyframe > report.Keyframe;
        }

        Update(now, force: true);
    }

    private void Arrived(MediaTime now, uint sequence, long arrivalMs)
    {
        if (_flight.Arrived(sequence) is not { } packet)
            return;
        // What made the connection went with its first packet.
        Estimator.Arrived(now, packet with { WireBytes = packet.WireBytes + (int)_opening }, MediaTime.FromMilliseconds(arrivalMs));
        _opening = 0;
    }

    private SenderMessage Leave(SenderMessage message, MediaTime now)
    {
        message.Hello = _hello;
        _hello = null;
        var interval = (uint)ReportInterval.Milliseconds;
        if (interval > _interval * 1.3 || interval < _interval * 0.7)
            message.ReportIntervalMs = _interval = interval;
        if (message.Control is { End: true })
            _asked = false;
        var cost = _options.Overhead.WireBytes(message.CalculateSize());
        _budget.Charge(now, cost);
        _flight.Add(new(message.Sequence, now, cost, message.Keyframe.Count > 0 ? message.Keyframe[^1].Index : 0));
        _lastSent = now;
        _busyUntil = Max(now, _busyUntil) + MediaTime.FromSeconds(cost / Rate.BytesPerSecond);
        if (cost < SmallPacket)
            _lastSmall = now;
        return message;
    }

    private void Update(MediaTime now, bool force = false)
    {
        if (now - _updated < Again && !force)
            return;
        _updated = now;
        var change = Control.Update(now, Connected ? Estimate(now) ?? Guess : null, Estimator.Queueing);
        if (Control.Rate != _budget.Rate)
            _budget.SetRate(now, Control.Rate);
        if (change is null)
            return;
        Changes.Add(change);
        Add(new StreamControl { Mode = change.To }, now);
        if (change.To == StreamMode.Tt2V)
            Drop(_assembler.DropKeyframes());
    }

    private void Drop(int keyframes)
    {
        DroppedKeyframes += keyframes;
        _loss |= keyframes > 0;
    }
}
