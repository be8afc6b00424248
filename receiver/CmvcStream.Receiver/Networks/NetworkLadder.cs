using System.Diagnostics;
using CmvcStream.Inference;

namespace CmvcStream.Receiver.Networks;

/// <summary>
/// The networks of a role, from the most costly down: the first one that is quick enough here runs, and while it runs it is watched. One that
/// becomes too slow makes room for the next, and after the last none is used. One thread runs it; any may dispose of it.
/// </summary>
/// <param name="role">What they do, for messages.</param>
/// <param name="provider">What runs them.</param>
/// <param name="budget">What a run may take.</param>
/// <param name="forced">The user has named one: it runs however long it takes.</param>
/// <param name="report">Takes messages for the user.</param>
internal sealed class NetworkLadder(string role, ExecutionProvider provider, TimeSpan budget, bool forced, Action<string> report) : IDisposable
{
    /// <summary>Runs that the mean is taken over, about.</summary>
    private const double Memory = 12;

    /// <summary>Of a run that was interrupted by others no more is believed than so many budgets: several slow runs count, not one.</summary>
    private const double Believed = 1.5;

    /// <summary>Runs for the measurement at the start, the quickest of which counts; one that takes so many budgets needs no other.</summary>
    private const int Trials = 3;
    private const double Hopeless = 2;

    private readonly Lock _gate = new();
    private readonly Queue<(string Name, Func<OnnxBinding> Open)> _left = new();
    private double _mean;
    private bool _tooSlow;

    /// <summary>The one that runs; null: none.</summary>
    public OnnxBinding? Current { get; private set; }

    /// <summary>Its name.</summary>
    public string? Name { get; private set; }

    /// <summary>Its name and what runs it, for people; null: none runs.</summary>
    public string? Description => Name is { } name ? $"{name} on {provider.Word()}" : null;

    public bool Disposed { get; private set; }

    /// <summary>Takes the first that is quick enough.</summary>
    /// <param name="candidates">Names, and what prepares each: throws <see cref="ModelException"/> where one cannot be used.</param>
    public void Choose(IEnumerable<(string Name, Func<OnnxBinding> Open)> candidates)
    {
        lock (_gate)
        {
            foreach (var candidate in candidates)
                _left.Enqueue(candidate);
            Step();
        }
    }

    /// <summary>Lets the network work: <paramref name="fill"/> its input, run it, and <paramref name="take"/> its output.</summary>
    /// <returns>False: none has run, and nothing was taken.</returns>
    public bool Run<T>(T state, Action<OnnxBinding, T> fill, Action<OnnxBinding, T> take)
    {
        lock (_gate)
        {
            if (_tooSlow)
                Step();
            if (Disposed || Current is not { } binding)
                return false;
            fill(binding, state);
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
            take(binding, state);
            return true;
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            if (!Disposed)
                Current?.Dispose();
            Disposed = true;
        }
    }

    /// <summary>How long a run took: where runs are too slow on the whole, the next one makes room for the next network.</summary>
    internal void Watch(TimeSpan took)
    {
        _mean += (Math.Min(took.TotalMilliseconds, Believed * budget.TotalMilliseconds) - _mean) / Memory;
        if (forced || _mean <= budget.TotalMilliseconds || _tooSlow)
            return;
        report($"{Name} takes {_mean:0} ms here to {role}, {budget.TotalMilliseconds:0} ms are there");
        _tooSlow = true;
    }

    private void Step()
    {
        Current?.Dispose();
        (Current, Name, _tooSlow) = (null, null, false);
        while (!Disposed && _left.TryDequeue(out var next))
        {
            OnnxBinding? binding = null;
            try
            {
                binding = next.Open();
                var quickest = forced ? TimeSpan.Zero : Time(binding);
                if (quickest <= budget)
                {
                    (Current, Name, _mean) = (binding, next.Name, quickest.TotalMilliseconds);
                    return;
                }

                report($"{next.Name} would take {quickest.TotalMilliseconds:0} ms here to {role}, {budget.TotalMilliseconds:0} ms are there");
            }
            catch (ModelException e)
            {
                report($"{next.Name} cannot be used to {role}: {e.Message}");
            }

            binding?.Dispose();
        }
    }

    private TimeSpan Time(OnnxBinding binding)
    {
        var quickest = TimeSpan.MaxValue;
        for (var i = 0; i < Trials && (i == 0 || quickest < Hopeless * budget); i++)
        {
            var began = Stopwatch.GetTimestamp();
            binding.Run();
            var took = Stopwatch.GetElapsedTime(began);
            quickest = took < quickest ? took : quickest;
        }

        return quickest;
    }
}
