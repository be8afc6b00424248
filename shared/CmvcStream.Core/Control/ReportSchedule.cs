using CmvcStream.Core.Media;
using CmvcStream.Protos;

namespace CmvcStream.Core.Control;

/// <summary>
/// The receiver's side of the link: what to report, and when. A report leaves with the message that it reports, so that it rides on the
/// acknowledgement that TCP would send anyway, unless the last one was too short a while ago: then what arrives is gathered. Not safe from
/// several threads.
/// </summary>
/// <param name="ordered">Messages and reports arrive whole and in order; else each arrival is told twice, as a report may be lost.</param>
public sealed class ReportSchedule(bool ordered = true)
{
    /// <summary>Once in so many reports it also tells how the presentation goes.</summary>
    private const int Presentation = 10;

    private const int Repeated = 3;

    private readonly List<(uint Sequence, long ArrivalMs)> _arrived = [];
    private readonly List<(uint Sequence, long ArrivalMs)> _told = [];
    private MediaTime? _last;
    private MediaTime _interval = MediaTime.FromMilliseconds(300);
    private uint _received;
    private int _reports;

    /// <summary>When the next report is due; null: there is nothing to report.</summary>
    public MediaTime? Due => _arrived.Count == 0 ? null : _last is { } last ? last + _interval : MediaTime.Zero;

    /// <summary>Tells of a message.</summary>
    /// <param name="now">Its arrival, since the welcome.</param>
    /// <param name="message">As received.</param>
    public void Arrived(MediaTime now, SenderMessage message)
    {
        ArgumentNullException.ThrowIfNull(message);
        if (message.ReportIntervalMs > 0)
            _interval = MediaTime.FromMilliseconds(Math.Clamp(message.ReportIntervalMs, 50, 10_000));
        // The sender waits for nothing else.
        if (message.Control is { End: true })
            _last = null;
        _received++;
        // More than any sender may have under way: what is forgotten counts as lost.
        if (_arrived.Count < 64)
            _arrived.Add((message.Sequence, (long)Math.Round(now.Milliseconds)));
    }

    /// <summary>The report that is due, or null.</summary>
    /// <param name="now">Since the welcome.</param>
    /// <param name="keyframe">Highest keyframe decoded.</param>
    /// <param name="presented">Frames so far.</param>
    /// <param name="held">Those of them that were held.</param>
    public ReceiverReport? Take(MediaTime now, uint keyframe, long presented, long held)
    {
        if (Due is not { } due || due > now)
            return null;
        _last = now;
        var newest = _arrived.MaxBy(a => a.Sequence);
        var report = new ReceiverReport { Sequence = newest.Sequence, ArrivalMs = (uint)newest.ArrivalMs, Keyframe = keyframe, Received = _received };
        if (_reports++ % Presentation == 0)
            (report.Presented, report.Held) = ((uint)presented, (uint)held);
        foreach (var (sequence, arrival) in _arrived.AsEnumerable().Reverse().Where(a => a.Sequence != newest.Sequence).Concat(_told))
        {
            report.Others.Add((int)(newest.Sequence - sequence));
            report.Others.Add((int)(newest.ArrivalMs - arrival));
        }

        _told.Clear();
        if (!ordered)
            _told.AddRange(_arrived.AsEnumerable().Reverse().Take(Repeated));
        _arrived.Clear();
        return report;
    }
}
