using System.Diagnostics;
using CmvcStream.Inference;

namespace CmvcStream.Receiver.Networks;

/// <summary>
/// The networks of a role, from the most costly down: the first one that is quick enough here runs, and while it runs it is watched. One that
/// becomes too slow makes room for the next, and after the last none is used. One thread at a time.
/// </summary>
/// <param name="role">What they do, for messages.</param>
/// <param name="budget">What a run may take.</param>
/// <param name="forced">The user has named one: it runs however long it takes.</param>
/// <param name="report">Takes messages for the user.</param>
internal sealed class NetworkLadder(string role, TimeSpan budget, bool forced, Action<string> report) : IDisposable
{
    /// <summary>Runs that the mean is taken over, about; a run that was interrupted by others does not count for much.</summary>
    private const double Memory = 12;

    /// <summary>Runs for the measurement at the start; the quickest counts.</summary>
    private const int Trials = 3;

    private readonly Queue<(string Name, Func<OnnxBinding> Open)> _left = new();
    private double _mean;

    /// <summary>The one that runs; null: none.</summary>
    public OnnxBinding? Current { get; private set; }

    /// <summary>Its name.</summary>
    public string? Name { get; private set; }

    /// <summary>Takes the first that is quick enough.</summary>
    /// <param name="candidates">Names, and what prepares each: throws <see cref="ModelException"/> where one cannot be used.</param>
    public void Choose(IEnumerable<(string Name, Func<OnnxBinding> Open)> candidates)
    {
        foreach (var candidate in candidates)
            _left.Enqueue(candidate);
        Step();
    }

    /// <summary>Runs the network on what lies in its input.</summary>
    /// <returns>False: it has failed, and is not used again; what to show instead is known to the caller.</returns>
    public bool Run()
    {
        if (Current is not { } binding)
            return false;
        var began = Stopwatch.GetTimestamp();
        try
        {
            binding.Run();
        }
        catch (ModelException e)
        {
            report($"{Name} is not used any more to {role}: {e.Message}");
            Step();
            return false;
        }

        Watch(Stopwatch.GetElapsedTime(began));
        return true;
    }

    public void Dispose() => Current?.Dispose();

    /// <summary>How long a run took, for tests: a network that is too slow on the whole makes room for the next.</summary>
    internal void Watch(TimeSpan took)
    {
        // Of an interrupted run no more is believed than three times the budget.
        _mean += (Math.Min(took.TotalMilliseconds, 3 * budget.TotalMilliseconds) - _mean) / Memory;
        if (forced || _mean <= budget.TotalMilliseconds)
            return;
        report($"{Name} takes {_mean:0} ms here to {role}, {budget.TotalMilliseconds:0} ms are there");
        Step();
    }

    private void Step()
    {
        Current?.Dispose();
        (Current, Name) = (null, null);
        while (_left.TryDequeue(out var next))
        {
            try
            {
                var binding = next.Open();
                var quickest = TimeSpan.MaxValue;
                for (var i = 0; i < Trials; i++)
                {
                    var began = Stopwatch.GetTimestamp();
                    binding.Run();
                    var took = Stopwatch.GetElapsedTime(began);
                    quickest = took < quickest ? took : quickest;
                }

                if (forced || quickest <= budget)
                {
                    (Current, Name, _mean) = (binding, next.Name, quickest.TotalMilliseconds);
                    return;
                }

                report($"{next.Name} would take {quickest.TotalMilliseconds:0} ms here to {role}, {budget.TotalMilliseconds:0} ms are there");
                binding.Dispose();
            }
            catch (ModelException e)
            {
                report($"{next.Name} cannot be used to {role}: {e.Message}");
            }
        }
    }
}
