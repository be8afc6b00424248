using CmvcStream.Evaluate.Media;
using CmvcStream.Evaluate.Metrics;

namespace CmvcStream.Evaluate.Measure;

/// <summary>Scores results against a reference. Not for several threads at once; make one for each.</summary>
internal sealed class Scorer : IDisposable
{
    private readonly Reference _reference;
    private readonly LpipsNetwork? _lpips;
    private readonly VmafProgram? _vmaf;
    private readonly StructuralSimilarity _structure;
    private readonly byte[] _sourceLuma, _resultLuma;
    private readonly Dictionary<int, double> _sourceSteps = [];

    public Scorer(Reference reference, string? lpips, VmafProgram? vmaf)
    {
        (_reference, _vmaf) = (reference, vmaf);
        var size = reference.Size;
        _lpips = lpips is null ? null : new(lpips, size);
        _structure = new(size.Width, size.Height);
        (_sourceLuma, _resultLuma) = (new byte[size.Area], new byte[size.Area]);
    }

    /// <summary>
    /// Scores a file whose frame k depicts source time k / fps: the captured frame n is compared with the newest frame of the file that is
    /// not of a later time.
    /// </summary>
    /// <param name="file">The result; pictures of another size are brought to the reference's by bicubic scaling.</param>
    /// <param name="fps">Its frames a second: a multiple or a fraction of the captured rate.</param>
    /// <param name="picture">Where to keep the picture of the plan's moment as JPEG; null keeps none.</param>
    /// <param name="stop">Ends it.</param>
    /// <exception cref="EvaluateException">The file cannot be read, or ends before the scored frames do.</exception>
    public async Task<Scores> ScoreAsync(string file, double fps, string? picture, CancellationToken stop)
    {
        var plan = _reference.Plan;
        var (wanted, mean, read) = (plan.Frames.ToHashSet(), new Means(), 0);
        // A frame of the result may stand for several captured ones.
        var shows = plan.Frames.SelectMany(n => new[] { n - 1, n }).Distinct().Order().ToLookup(n => (int)Math.Floor((n * fps / plan.Fps) + 1e-6));
        int[] needed = [.. shows.Select(s => s.Key).Order()];
        byte[] previous = new byte[_reference.Size.Area * 3];
        await foreach (var frame in FrameReader.ReadAsync(file, _reference.Size, needed, "bicubic", stop))
        {
            foreach (var n in shows[needed[read]])
            {
                if (wanted.Contains(n))
                    Compare(n, frame, previous, mean);
                if (n == plan.Moment && picture is not null)
                    await FrameReader.WriteJpegAsync(frame, _reference.Size, picture, stop);
                frame.CopyTo(previous, 0);
            }

            read++;
        }

        if (mean.Count < wanted.Count)
            throw new EvaluateException($"{file} ends too early: {wanted.Count - mean.Count} of {wanted.Count} scored frames are missing");
        return mean.Scores(await VmafAsync(file, stop));
    }

    public void Dispose() => _lpips?.Dispose();

    private async Task<double?> VmafAsync(string file, CancellationToken stop)
    {
        if (_vmaf is null)
            return null;
        var options = new VmafOptions { Size = _reference.Size, FramesPerSecond = _reference.Plan.Fps, Ffmpeg = _vmaf.Ffmpeg, Model = _vmaf.Model };
        var (scores, why) = await Vmaf.MeasureAsync(file, _reference.Sequence.File, options, stop);
        if (scores is null)
            throw new EvaluateException(why!);
        return scores.Mean(_reference.Plan.SkipSeconds * _reference.Plan.Fps) is { } mean ? Math.Round(mean, 2) : null;
    }

    private void Compare(int n, byte[] frame, byte[] previous, Means mean)
    {
        var source = _reference[n];
        Luma.FromRgb(source, _sourceLuma);
        Luma.FromRgb(frame, _resultLuma);
        mean.Count++;
        mean.SquaredError += Psnr.MeanSquaredError(_sourceLuma, _resultLuma);
        var similarity = _structure.Both(_sourceLuma, _resultLuma);
        mean.Ssim += similarity.Ssim;
        mean.MsSsim += similarity.MultiScale;
        if (_lpips is null)
            return;
        mean.Lpips = mean.Lpips.GetValueOrDefault() + _lpips.Distance(source, frame);
        if (!_sourceSteps.TryGetValue(n, out var step))
            _sourceSteps[n] = step = _lpips.Distance(_reference[n - 1], source);
        mean.Tlp.Add(step, frame.AsSpan().SequenceEqual(previous) ? 0 : _lpips.Distance(previous, frame));
    }

    private sealed class Means
    {
        public int Count;
        public double SquaredError, Ssim, MsSsim;
        public double? Lpips;
        public readonly TemporalDistance Tlp = new();

        public Scores Scores(double? vmaf) => new(Math.Round(Psnr.Decibels(SquaredError / Count), 3), Mean(Ssim), Mean(MsSsim),
            Lpips is { } lpips ? Mean(lpips) : null, Tlp.Mean is { } tlp ? Math.Round(tlp, 5) : null, vmaf);

        private double Mean(double sum) => Math.Round(sum / Count, 5);
    }
}
