using CmvcStream.Core.Media;

namespace CmvcStream.Receiver.Present;

/// <summary>
/// Hands each presented frame to all sinks. A sink that fails is reported once and left out from then on; the others go on.
/// One caller at a time.
/// </summary>
public sealed class FrameFanout : IAsyncDisposable
{
    private readonly List<IFrameSink> _live;
    private readonly IReadOnlyList<IFrameSink> _all;
    private readonly List<string> _failures = [];
    private readonly Action<string> _report;

    /// <param name="sinks">Owned from here on.</param>
    /// <param name="report">Takes a message for the user.</param>
    public FrameFanout(IEnumerable<IFrameSink> sinks, Action<string> report)
    {
        _all = [.. sinks];
        _live = [.. _all];
        _report = report;
    }

    /// <summary>Frames handed out so far.</summary>
    public long Presented { get; private set; }

    /// <summary>What was reported of sinks that failed.</summary>
    public IReadOnlyList<string> Failures => _failures;

    /// <summary>Hands the frame to every sink; each takes its own reference, the caller keeps (and disposes) its own.</summary>
    public void Present(RegeneratedFrame frame)
    {
        Presented++;
        for (var i = 0; i < _live.Count;)
        {
            try
            {
                _live[i].Present(frame);
                i++;
            }
            catch (Exception e)
            {
                Fail(_live[i], e);
                _live.RemoveAt(i);
            }
        }
    }

    /// <summary>Lets every sink write out what it has. Failures are reported, not thrown: see <see cref="Failures"/>.</summary>
    /// <exception cref="OperationCanceledException">Cancelled before all was written.</exception>
    public async Task CompleteAsync(CancellationToken cancellationToken)
    {
        foreach (var sink in _live.ToArray())
        {
            try
            {
                await sink.CompleteAsync(cancellationToken);
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                Fail(sink, e);
                _live.Remove(sink);
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var sink in _all)
        {
            try
            {
                await sink.DisposeAsync();
            }
            catch (Exception e)
            {
                Fail(sink, e);
            }
        }
    }

    private void Fail(IFrameSink sink, Exception e)
    {
        var message = e is SinkException ? e.Message : $"{sink.Name}: {e.Message}";
        _failures.Add(message);
        _report(message);
    }
}
