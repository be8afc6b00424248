using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using CmvcStream.Evaluate.Compare;
using CmvcStream.Evaluate.Live;
using CmvcStream.Evaluate.Measure;
using CmvcStream.Evaluate.Media;
using CmvcStream.Evaluate.Metrics;
using CmvcStream.Evaluate.Ours;
using CmvcStream.Evaluate.Peers;

namespace CmvcStream.Evaluate;

/// <summary>
/// Measures the others, then ours at each rate, in real time, and puts it together. Each part is kept in the report's folder as it comes:
/// an evaluation that was stopped goes on from there, and ours is measured anew only when its programs have changed.
/// </summary>
internal sealed class EvaluateRun(EvaluateOptions options, TextWriter error)
{
    private static readonly string[] Programs = ["cmvc-send", "cmvc-receive", "cmvc-throttle"];

    private readonly string _parts = Path.Combine(options.Folder, "parts");
    private readonly ScoringPlan _plan = new(options.Fps, options.Seconds, options.Skip, options.Every);
    private readonly Lazy<string> _build = new(Build);
    private readonly List<string> _failures = [];

    /// <exception cref="EvaluateException">Nothing can be measured.</exception>
    public async Task<Evaluation> MeasureAsync(CancellationToken stop)
    {
        Directory.CreateDirectory(_parts);
        var vmaf = await Vmaf.FindAsync(options.Vmaf, options.VmafModel, stop);
        var machine = await Machine.DescribeAsync(stop);
        var settings = new Settings(options.Rates, options.Seconds, options.Skip, options.Every, options.Fps, options.Box.ToString(), options.Mode,
            string.Join(' ', options.Link), options.Lpips is { } model ? $"{Path.GetFileName(model)} {Fingerprint(model)[..16]}" : null);
        var sequences = new List<Sequence>();
        foreach (var clip in options.Clips)
        {
            var sequence = await Sequence.MakeAsync(clip, options.Seconds, options.Box, Path.Combine(_parts, "sequences"), stop);
            await sequence.KeepPictureAsync(_plan, Path.Combine(_parts, "sequences", sequence.Name + ".jpg"), stop);
            sequences.Add(sequence);
        }

        // The others first: they take every core for long, and are kept; ours then runs alone.
        var peers = options.Others is { } earlier ? EarlierPeers(earlier, sequences, settings) : await PeersAsync(sequences, vmaf, machine, settings, stop);
        var ours = await OursAsync(sequences, vmaf, stop);
        var clips = sequences.Zip(options.Clips, (s, clip) => new ClipResult(s.Name, Sequence.IsSynthetic(clip) ? clip : Path.GetFileName(clip),
            s.Size.ToString(), ours[s.Name], peers[s.Name])).ToList();
        var live = new List<LiveResult>();
        foreach (var sequence in sequences.Where(s => options.LiveClips.Length == 0 || options.LiveClips.Contains(s.Name)))
            live.AddRange(await LiveAsync(sequence, vmaf, machine, stop));
        return new() { Made = machine, Settings = settings, Clips = clips, Live = live, Failures = _failures };
    }

    private ProductSettings Product => new(options.Fps, options.Box, options.Mode, options.Link, options.Network);

    private async Task<List<LiveResult>> LiveAsync(Sequence sequence, VmafProgram? vmaf, MadeOn machine, CancellationToken stop)
    {
        if (options.Live.Length == 0)
            return [];
        var reference = await Reference.ReadAsync(sequence, _plan, stop);
        using var scorer = new Scorer(reference, options.Lpips, vmaf);
        var study = new LiveStudy(Product, Path.Combine(_parts, "live"),
            Key($"{_build.Value} {_plan} {options.Mode} {string.Join(' ', options.Link)} {options.Box} {options.Network} {Model} {machine.Versions["ffmpeg"]}"));
        var results = new List<LiveResult>();
        foreach (var rate in options.Live)
        {
            try
            {
                results.AddRange(await study.MeasureAsync(reference, rate, scorer, Say, stop));
            }
            catch (EvaluateException e)
            {
                Fail($"{sequence.Name} at {rate} kbit/s, end to end: {e.Message}");
            }
        }

        return results;
    }

    /// <summary>Ours, one run after another; each is scored while the next one streams, by a process that gives way to it.</summary>
    private async Task<Dictionary<string, List<OurResult>>> OursAsync(List<Sequence> sequences, VmafProgram? vmaf, CancellationToken stop)
    {
        var results = sequences.ToDictionary(s => s.Name, _ => new List<OurResult>());
        var scoring = Task.CompletedTask;
        foreach (var sequence in sequences)
        {
            foreach (var rate in options.Rates)
            {
                var name = string.Create(CultureInfo.InvariantCulture, $"{sequence.Name}-{rate}");
                var key = Key($"{_build.Value} {_plan} {options.Mode} {string.Join(' ', options.Link)} {options.Box} {options.Network} {Model}");
                var file = Path.Combine(_parts, "ours", $"{name}-{key}.json");
                if (PartFile.Read<OurResult>(file) is { } known)
                {
                    results[sequence.Name].Add(known);
                    continue;
                }

                try
                {
                    var folder = Path.Combine(_parts, "ours", name);
                    var run = await ProductRun.StreamAsync(sequence, options.Seconds, rate, Product, folder, stop);
                    await scoring;
                    scoring = ScoreAsync(run, sequence, file, results[sequence.Name], vmaf, stop);
                }
                catch (EvaluateException e)
                {
                    Fail($"{sequence.Name} at {rate} kbit/s: {e.Message}");
                }
            }
        }

        await scoring;
        foreach (var of in results.Values)
            of.Sort((a, b) => a.RateKbps.CompareTo(b.RateKbps));
        return results;
    }

    private async Task ScoreAsync(ProductResult run, Sequence sequence, string file, List<OurResult> results, VmafProgram? vmaf, CancellationToken stop)
    {
        try
        {
            var (picture, score) = (Path.ChangeExtension(file, ".jpg"), ScoreArguments(sequence, vmaf));
            var said = await ChildProcess.RunAsync(Environment.ProcessPath!, ["score", sequence.File, run.ShownFile, .. score, "--picture", picture], background: true, stop);
            var scores = JsonSerializer.Deserialize(said, EvaluationJson.Default.Scores)!;
            var command = $"./cmvc evaluate score {Path.GetFileName(sequence.File)} {Path.GetFileName(run.ShownFile)} {string.Join(' ', score)}";
            var result = run.Result with { Scores = scores, Picture = Path.GetFileName(picture), Commands = [.. run.Result.Commands, command] };
            PartFile.Write(file, result);
            results.Add(result);
            var measured = string.Join(", ", Metric.All.Where(m => m.Of(scores) is not null).Select(m => $"{m.Name} {m.Text(m.Of(scores))}"));
            Say(string.Create(CultureInfo.InvariantCulture,
                $"{sequence.Name}: ours at {result.RateKbps}: on the wire {result.WireKbps:0.00}, payload {result.PayloadKbps:0.00} kbit/s; {measured}"));
        }
        catch (EvaluateException e)
        {
            Fail($"{sequence.Name} at {run.Result.RateKbps} kbit/s: {e.Message}");
        }
        finally
        {
            File.Delete(run.ShownFile);
        }
    }

    private string[] ScoreArguments(Sequence sequence, VmafProgram? vmaf)
    {
        string[] given = ["--result-fps", Text(ProductRun.ShownFps), "--fps", Text(options.Fps), "--skip", Text(options.Skip), "--every", Text(options.Every),
            "--seconds", Text(options.Seconds), "--size", sequence.Size.ToString()];
        (string Name, string? Value)[] extras = [("--lpips", options.Lpips), ("--vmaf", vmaf?.Ffmpeg), ("--vmaf-model", vmaf?.Model)];
        return [.. given, .. extras.Where(e => e.Value is not null).SelectMany(e => new[] { e.Name, e.Value! })];
    }

    /// <summary>The others as an earlier evaluation of the same clips measured them, in the same way.</summary>
    private Dictionary<string, List<PeerPoint>> EarlierPeers(string file, List<Sequence> sequences, Settings settings)
    {
        var earlier = Evaluation.Read(file);
        var (theirs, ours) = (earlier.Settings, settings);
        if ((theirs.Seconds, theirs.SkipSeconds, theirs.Every, theirs.Fps, theirs.Box, theirs.Lpips) != (ours.Seconds, ours.SkipSeconds, ours.Every, ours.Fps, ours.Box, ours.Lpips))
            throw new EvaluateException($"{file} was measured otherwise ({theirs.Seconds} s, skip {theirs.SkipSeconds}, every {theirs.Every}, {theirs.Fps} frames/s, {theirs.Box}, {theirs.Lpips}): its encodings do not compare");
        return sequences.ToDictionary(s => s.Name, s => earlier.Clips.FirstOrDefault(c => c.Name == s.Name && c.Size == s.Size.ToString()) is { } clip
            ? clip.Peers.Where(p => options.Against.Any(a => a.Name == p.Codec)).ToList()
            : throw new EvaluateException($"{file} has no {s.Name} of {s.Size}"));
    }

    /// <summary>The others, several codecs and clips at a time.</summary>
    private async Task<Dictionary<string, List<PeerPoint>>> PeersAsync(List<Sequence> sequences, VmafProgram? vmaf, MadeOn machine, Settings settings, CancellationToken stop)
    {
        var key = $"{_plan} {settings.Lpips} {vmaf is null} {string.Join(' ', machine.Versions.Where(v => v.Key != "product").Select(v => v.Value))}";
        var jobs = (from sequence in sequences from codec in options.Against select (Sequence: sequence, Codec: codec)).ToArray();
        var points = new List<PeerPoint>[jobs.Length];
        await Parallel.ForEachAsync(Enumerable.Range(0, jobs.Length), new ParallelOptions { MaxDegreeOfParallelism = options.Jobs, CancellationToken = stop },
            async (i, cancelled) => points[i] = await PeerAsync(jobs[i].Sequence, jobs[i].Codec, key, vmaf, cancelled));
        return sequences.ToDictionary(s => s.Name, s => points.Where((_, i) => jobs[i].Sequence == s).SelectMany(p => p).ToList());
    }

    private async Task<List<PeerPoint>> PeerAsync(Sequence sequence, PeerCodec codec, string key, VmafProgram? vmaf, CancellationToken stop)
    {
        try
        {
            var reference = await Reference.ReadAsync(sequence, _plan, stop);
            using var scorer = new Scorer(reference, options.Lpips, vmaf);
            var study = new PeerStudy(reference, scorer, Path.Combine(_parts, "peers", sequence.Name), key);
            var measured = await study.MeasureAsync(codec, options.Rates.Max(), stop);
            Say(string.Create(CultureInfo.InvariantCulture, $"{sequence.Name}: {codec.Name}, {measured.Count} encodings ({study.Made} new), "
                + $"least {measured.Min(p => p.PayloadKbps):0.0} kbit/s of payload, on the wire {measured.Min(p => p.WireKbps):0.0}"));
            return measured;
        }
        catch (EvaluateException e)
        {
            Fail($"{sequence.Name}, {codec.Name}: {e.Message}");
            return [];
        }
    }

    /// <summary>What a program of ours is, so that another build counts as another.</summary>
    private static string Build()
    {
        var libraries = Directory.EnumerateFiles(AppContext.BaseDirectory, "CmvcStream.*.dll")
            .Where(f => !f.EndsWith(".Tests.dll", StringComparison.Ordinal)).Concat(Programs.Select(p => Path.Combine(AppContext.BaseDirectory, p + ".dll")));
        return Key(string.Concat(libraries.Order(StringComparer.Ordinal).Select(Fingerprint)));
    }

    private string Model => options.Lpips is { } file ? Fingerprint(file) : "none";

    private static string Fingerprint(string file)
    {
        try
        {
            return Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(file)));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new EvaluateException($"{file} cannot be read: {e.Message}", e);
        }
    }

    private static string Key(string what) => Convert.ToHexStringLower(SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(what)).AsSpan(0, 6));

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private void Fail(string what)
    {
        Say(what);
        lock (_failures)
            _failures.Add(what);
    }

    private void Say(string text)
    {
        lock (error)
            error.WriteLine($"evaluate: {text}");
    }
}
