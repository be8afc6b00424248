namespace CmvcStream.Throttle;

/// <summary>Lines for people; one that repeats is counted and said again at most every ten seconds.</summary>
internal sealed class RelayLog(TextWriter writer, TimeProvider time)
{
    private const string Clear = "\r\e[K";
    private static readonly TimeSpan _period = TimeSpan.FromSeconds(10);
    private readonly Lock _lock = new();
    private string? _last;
    private long _said;
    private int _repeats;
    private string _status = "";

    public void Write(string line)
    {
        lock (_lock)
        {
            if (line == _last && time.GetElapsedTime(_said) < _period)
            {
                _repeats++;
                return;
            }

            if (_status.Length > 0)
                writer.Write(Clear);
            if (_repeats > 0)
                writer.WriteLine($"throttle: {_last} (and {_repeats} more times)");
            if (line != _last || _repeats == 0)
                writer.WriteLine($"throttle: {line}");
            (_last, _said, _repeats) = (line, time.GetTimestamp(), 0);
            writer.Write(_status);
        }
    }

    /// <summary>A line that stays below those that are written, on a terminal.</summary>
    public void Status(string line)
    {
        lock (_lock)
            writer.Write(Clear + (_status = line));
    }

    /// <summary>Leaves the last one where it is.</summary>
    public void EndStatus()
    {
        lock (_lock)
        {
            if (_status.Length > 0)
                writer.WriteLine();
            _status = "";
        }
    }
}
