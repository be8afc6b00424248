using System.Globalization;
using CmvcStream.Core.Media;

namespace CmvcStream.Receiver.Present;

/// <summary>
/// Every presented frame into a YUV4MPEG2 file, and a line for each into FILE.frames.tsv: n, wall_us (Unix time of its presentation),
/// source_pts_us (source time that it depicts), provenance. A frame lost on the way appears as the one before it, held.
/// </summary>
public sealed class Y4mSink : QueuedSink
{
    private readonly FileStream _pictures;
    private readonly StreamWriter _table;
    private readonly Y4mWriter _writer;
    private readonly TimeProvider _time;
    private long? _clockBegan;
    private (long WallUs, long PtsUs) _last;

    /// <param name="path">File to write; replaced if it exists.</param>
    /// <param name="rate">Presentation frames a second.</param>
    /// <param name="report">Takes a message for the user.</param>
    /// <param name="time">For the date of the first frame; the rest follows the presentation clock.</param>
    /// <exception cref="SinkException">The path cannot be written.</exception>
    public Y4mSink(string path, FrameRate rate, Action<string> report, TimeProvider time) : base($"y4m:{path}", report)
    {
        _time = time;
        _pictures = OutputFile.Create(path, Name);
        try
        {
            _table = new(OutputFile.Create(path + ".frames.tsv", Name)) { NewLine = "\n", AutoFlush = true };
        }
        catch
        {
            _pictures.Dispose();
            throw;
        }

        _writer = new(_pictures, rate, Name);
        _table.WriteLine("n\twall_us\tsource_pts_us\tprovenance");
    }

    private protected override async ValueTask WriteAsync(RegeneratedFrame frame, CancellationToken cancellationToken)
    {
        _clockBegan ??= (_time.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond - frame.PresentedAt.Microseconds;
        var filled = await _writer.WriteAsync(frame, cancellationToken);
        for (var n = frame.Number - filled; n < frame.Number; n++)
            await LineAsync(n, Provenance.Held);
        _last = (_clockBegan.Value + frame.PresentedAt.Microseconds, frame.Frame.Pts.Microseconds);
        await LineAsync(frame.Number, frame.Provenance);
    }

    private protected override async ValueTask FinishAsync(CancellationToken cancellationToken)
    {
        await _table.FlushAsync(cancellationToken);
        await _pictures.FlushAsync(cancellationToken);
    }

    private protected override async ValueTask CloseAsync()
    {
        await _table.DisposeAsync();
        await _pictures.DisposeAsync();
    }

    private Task LineAsync(long n, Provenance provenance) =>
        _table.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"{n}\t{_last.WallUs}\t{_last.PtsUs}\t{Word(provenance)}"));

    private static string Word(Provenance provenance) => provenance switch
    {
        Provenance.None => "none",
        Provenance.Transmitted => "transmitted",
        Provenance.Restored => "restored",
        Provenance.Interpolated => "interpolated",
        Provenance.Extrapolated => "extrapolated",
        _ => "held",
    };
}
