namespace CmvcStream.Evaluate.Live;

/// <summary>
/// Source times of RTP timestamps. A browser stamps a frame with its capture, on a clock of 90 kHz with an unknown origin; which frames were
/// captured when, and when each left the encoder, is known.
/// </summary>
internal sealed class RtpClock
{
    private const double Hertz = 90000;

    /// <summary>Clocks of the page's two reports of the same frame differ by less.</summary>
    private const double Grain = 0.003;

    private readonly (double Source, double Wall)[] _captured;
    private readonly double _origin;
    private readonly uint _first;

    /// <param name="captured">Source time and Unix time of each frame that was handed to the encoder, in order.</param>
    /// <param name="sent">RTP timestamp and Unix time of each that came out, in order.</param>
    public RtpClock(IReadOnlyList<(double Source, double Wall)> captured, IReadOnlyList<(uint Rtp, double Wall)> sent)
    {
        _captured = [.. captured];
        _first = sent.Count > 0 ? sent[0].Rtp : 0;
        // A frame that comes out is nearly always the one that went in last; where it is not, the median does not mind.
        var origins = sent.Select(s => (s.Rtp, Index: Array.FindLastIndex(_captured, c => c.Wall <= s.Wall + Grain))).Where(s => s.Index >= 0)
            .Select(s => _captured[s.Index].Wall - Since(s.Rtp)).Order().ToArray();
        _origin = origins.Length > 0 ? origins[origins.Length / 2] : double.NaN;
    }

    /// <summary>When the frame with a timestamp was captured, in the source's time; null: unknown.</summary>
    public double? SourceTime(uint rtp) => double.IsNaN(_origin) ? null : _captured.MinBy(c => Math.Abs(c.Wall - (_origin + Since(rtp)))).Source;

    // Timestamps wrap: signed differences of neighbours do not.
    private double Since(uint rtp) => unchecked((int)(rtp - _first)) / Hertz;
}
