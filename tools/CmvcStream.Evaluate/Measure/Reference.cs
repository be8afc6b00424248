using CmvcStream.Core.Media;
using CmvcStream.Evaluate.Media;

namespace CmvcStream.Evaluate.Measure;

/// <summary>The pictures of a sequence that are scored, as RGB24 at the captured size, and for each the captured picture before it.</summary>
internal sealed class Reference
{
    private readonly Dictionary<int, byte[]> _pictures = [];

    private Reference(Sequence sequence, ScoringPlan plan) => (Sequence, Plan) = (sequence, plan);

    public Sequence Sequence { get; }

    public ScoringPlan Plan { get; }

    public PixelSize Size => Sequence.Size;

    public byte[] this[int frame] => _pictures[frame];

    /// <exception cref="EvaluateException">The sequence cannot be read or is too short.</exception>
    public static async Task<Reference> ReadAsync(Sequence sequence, ScoringPlan plan, CancellationToken stop)
    {
        var reference = new Reference(sequence, plan);
        int[] wanted = [.. plan.Frames.SelectMany(n => new[] { n - 1, n }).Distinct().Order()];
        await foreach (var picture in FrameReader.ReadAsync(sequence.File, sequence.Size, wanted, "area", stop, plan.Fps))
            reference._pictures[wanted[reference._pictures.Count]] = [.. picture];
        return reference._pictures.Count == wanted.Length ? reference
            : throw new EvaluateException($"{sequence.File} has no frame {wanted[reference._pictures.Count]} at {plan.Fps} frames a second, which is to be scored: "
                + "give a longer clip or less --seconds");
    }
}

/// <summary>Which captured frames are scored.</summary>
/// <param name="Fps">Captured frames a second.</param>
/// <param name="Seconds">Length.</param>
/// <param name="SkipSeconds">At the start, not scored.</param>
/// <param name="Every">Every n-th.</param>
internal sealed record ScoringPlan(int Fps, int Seconds, int SkipSeconds, int Every)
{
    /// <summary>Numbers of captured frames, none of them 0.</summary>
    public IEnumerable<int> Frames
    {
        get
        {
            for (var n = Math.Max(1, SkipSeconds * Fps); n < Seconds * Fps; n += Every)
                yield return n;
        }
    }

    /// <summary>The captured frame whose picture reports show: the first that is scored in the second half of what is scored.</summary>
    public int Moment => Frames.SkipWhile(n => n < (SkipSeconds + Seconds) * Fps / 2).FirstOrDefault(Frames.Last());
}
