namespace CmvcStream.Core.Diagnostics;

/// <summary>The last few thousand values of something measured, for percentiles. Bounded; safe from several threads.</summary>
public sealed class Distribution(int capacity = 4096)
{
    private readonly double[] _values = new double[capacity];
    private long _count;
    private double _max = double.NegativeInfinity;

    public void Add(double value)
    {
        lock (_values)
        {
            _values[_count++ % _values.Length] = value;
            _max = Math.Max(_max, value);
        }
    }

    /// <summary>Null when nothing was measured.</summary>
    public Percentiles? Percentiles()
    {
        double[] sorted;
        lock (_values)
        {
            if (_count == 0)
                return null;
            sorted = _values[..(int)Math.Min(_count, _values.Length)];
        }

        Array.Sort(sorted);
        return new(Round(sorted[(sorted.Length - 1) / 2]), Round(sorted[(int)((sorted.Length - 1) * 0.95)]), Round(_max));
    }

    private static double Round(double value) => Math.Round(value, 2);
}
