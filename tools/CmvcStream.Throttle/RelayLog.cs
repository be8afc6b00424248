namespace CmvcStream.Throttle;

/// <summary>Lines for people; one that repeats is counted and said again at most every ten seconds.</summary>
internal sealed class RelayLog(TextWriter writer, TimeProvider time)
{
    private static readonly TimeSpan _period = TimeSpan.FromSeconds(10);
    private readonly Lock _lock = new();
    private string? _last;
    private long _said;
    private int _repeats;

    public void Write(string line)
    {
        lock (_lock)
        {
            if (line == _last && time.GetElapsedTime(_said) < _period)
            {
                _repeats++;
                return;
            }

            if (_repeats > 0)
                writer.WriteLine($"throttle: {_last} (and {_repeats} more times)");
            if (line != _last || _repeats == 0)
                writer.WriteLine($"throttle: {line}");
            (_last, _said, _repeats) = (line, time.GetTimestamp(), 0);
        }
    }
}
