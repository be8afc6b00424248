using System.CommandLine;
using System.CommandLine.Invocation;
using System.Globalization;
using CmvcStream.CommandLine;
using CmvcStream.Core.Control;
using CmvcStream.Core.Media;
using CmvcStream.Evaluate.Compare;
using CmvcStream.Evaluate.Peers;
using CmvcStream.Evaluate.Report;

namespace CmvcStream.Evaluate;

/// <summary>The command line of the tool.</summary>
public static class EvaluateCommand
{
    /// <summary>Runs the tool; the result is its exit code: 0 done, 1 failed at run time (a regression is one), 2 wrong usage.</summary>
    public static async Task<int> RunAsync(string[] args, TextWriter output, TextWriter error)
    {
        ArgumentNullException.ThrowIfNull(args);
        var parsed = Build(output, error).Parse(args);
        return parsed.Action is ParseErrorAction
            ? CommandOptions.Refuse("evaluate", error, parsed.Errors.Select(e => e.Message))
            : await parsed.InvokeAsync(new() { Output = output, Error = error, ProcessTerminationTimeout = null });
    }

    private static RootCommand Build(TextWriter output, TextWriter error)
    {
        var clips = new Argument<string[]>("CLIP") { Description = "Video files, or synthetic:NAME.", Arity = ArgumentArity.OneOrMore };
        var rates = Value("--rates", "4,8,16", ParseRates, "Rates of the link in kbit/s on the wire.", [4.0, 8, 16]);
        var against = Value("--against", "x265,libaom,svtav1,x264", ParseCodecs, "Whom to compare with; none measures ours alone.", PeerCodec.All);
        var link = CommandOptions.Value<LinkPreset?>("--link", "NAME", LinkPreset.Find,
            "What else the link is like: a preset of throttle, at each of the rates; 50 ms of delay unless given.");
        var report = CommandOptions.Value("--report", "DIR", t => t, "Takes report.html, evaluation.json, and what is measured so far.", required: true);
        var live = Value("--live", "8,16,32", ParseRates, "Rates at which ours and others also run on the same link, end to end.", []);
        var liveClips = Value("--live-clips", "NAME,NAME", t => t.Split(','), "The clips of --live, by name; all unless given.", (string[])[]);
        var lpips = CommandOptions.Value<string?>("--lpips", "FILE.onnx", t => t, "A network for LPIPS and tLP: inputs ref and dist [1,3,H,W].");
        var vmaf = CommandOptions.Value<string?>("--vmaf", "FFMPEG", t => t, "An ffmpeg with libvmaf, where the one in PATH has none.");
        var vmafModel = CommandOptions.Value<string?>("--vmaf-model", "FILE", t => t, "VMAF's model, where that ffmpeg brings none along.");
        var baseline = CommandOptions.Value<string?>("--baseline", "FILE.json", t => t, "An earlier evaluation: fails where ours has become worse.");
        var tolerance = Value("--tolerance", "2", ParseFactor,
            "How many times the usual tolerances a metric may be worse than the baseline's; more on a machine that is busy.", 1.0);
        var network = Value("--network", "auto", t => t, "The receiver's --network: auto, none, or a name of its model pack.", "auto");
        var others = CommandOptions.Value<string?>("--others", "FILE.json", t => t, "Take the others' encodings from an earlier evaluation of the same clips, in place of hours of encoding.");
        var mode = Value("--mode", "it2v", ParseMode, "The sender's mode.", "it2v");
        var (seconds, skip, every, fps, size) = (Number("--seconds", 30, 2, 3600, "Length of each sequence: a shorter clip is played to and fro."),
            Number("--skip", 6, 0, 3600, "Seconds at the start that are not scored."), Every(), Number("--fps", 15, 1, 60, "Captured frames a second."), Size());
        var jobs = Number("--jobs", Environment.ProcessorCount, 1, 256, "Encodings of the others at a time.");
        var command = new RootCommand("Compares the product with what people would use instead: the same clip, the same bytes, the same measure.") { clips };
        Option[] all = [rates, against, link, report, live, liveClips, lpips, vmaf, vmafModel, baseline, tolerance, network, others, mode, seconds, skip, every, fps, size, jobs];
        foreach (var option in all)
            command.Options.Add(option);
        command.Subcommands.Add(ScoreCommand.Build(output, error));
        command.Subcommands.Add(ReportCommand.Build(output, error));
        command.SetAction((r, stop) => Guarded(error, async () =>
        {
            var options = new EvaluateOptions
            {
                Clips = r.GetRequiredValue(clips),
                Rates = r.GetRequiredValue(rates),
                Against = r.GetRequiredValue(against),
                Folder = r.GetRequiredValue(report),
                Live = r.GetRequiredValue(live),
                LiveClips = r.GetRequiredValue(liveClips),
                Lpips = r.GetValue(lpips),
                Vmaf = r.GetValue(vmaf),
                VmafModel = r.GetValue(vmafModel),
                Baseline = r.GetValue(baseline),
                Tolerance = r.GetValue(tolerance),
                Network = r.GetRequiredValue(network),
                Others = r.GetValue(others),
                Mode = r.GetRequiredValue(mode),
                Seconds = r.GetValue(seconds),
                Skip = r.GetValue(skip),
                Every = r.GetValue(every),
                Fps = r.GetValue(fps),
                Box = r.GetValue(size),
                Jobs = r.GetValue(jobs),
            };
            if (r.GetValue(link) is { } preset)
                options = options with { Link = ["--preset", preset.Name] };
            options.Validate();
            return await RunAsync(options, output, error, stop);
        }));
        return command;
    }

    private static async Task<int> RunAsync(EvaluateOptions options, TextWriter output, TextWriter error, CancellationToken stop)
    {
        var baseline = options.Baseline is { } file ? Evaluation.Read(file) : null; // what cannot be read is said before, not after, an hour
        var evaluation = await new EvaluateRun(options, error).MeasureAsync(stop);
        ReportCommand.Write(evaluation, options.Folder, output);
        var worse = baseline is null ? [] : Baseline.Regressions(baseline, evaluation, options.Tolerance);
        foreach (var line in worse)
            error.WriteLine($"evaluate: worse than {options.Baseline}: {line}");
        if (baseline is not null && worse.Count == 0)
            output.WriteLine($"no regression against {options.Baseline}");
        return worse.Count == 0 && evaluation.Failures.Count == 0 ? 0 : 1;
    }

    /// <summary>Runs an action; what stops it becomes one line and an exit code.</summary>
    internal static async Task<int> Guarded(TextWriter error, Func<Task<int>> action)
    {
        try
        {
            return await action();
        }
        catch (Exception e) when (e is FormatException or ArgumentException)
        {
            return CommandOptions.Refuse("evaluate", error, [e.Message]);
        }
        catch (Exception e) when (e is EvaluateException or Inference.ModelException or IOException or UnauthorizedAccessException)
        {
            await error.WriteLineAsync($"evaluate: {e.Message}");
            return 1;
        }
        catch (OperationCanceledException)
        {
            await error.WriteLineAsync("evaluate: stopped; what is kept is not measured again");
            return 1;
        }
    }

    internal static Option<int> Number(string name, int standard, int least, int most, string description) => Value(name, "N",
        t => int.TryParse(t, CultureInfo.InvariantCulture, out var n) && n >= least && n <= most
            ? n
            : throw new FormatException($"'{t}' is no whole number from {least} to {most}"),
        $"{description} {standard} unless given.", standard);

    internal static Option<int> Every() => Number("--every", 5, 1, 100, "Scores every n-th captured frame; no multiple of 2 or 3 is fair to all frame rates.");

    internal static Option<PixelSize> Size() => Value("--size", "480x270", PixelSize.Parse, "Bounding box of the picture.", new(480, 270));

    private static Option<T> Value<T>(string name, string example, Func<string, T> parse, string description, T standard)
    {
        var option = CommandOptions.Value(name, example, parse, description);
        option.DefaultValueFactory = _ => standard;
        return option;
    }

    private static double[] ParseRates(string text)
    {
        var rates = text.Split(',').Select(t => double.TryParse(t, CultureInfo.InvariantCulture, out var rate) && rate is >= 0.5 and <= 1000
            ? rate
            : throw new FormatException($"'{t}' is no rate: kbit/s from 0.5 to 1000, with commas between, for example 4,8,16")).ToArray();
        return rates.Distinct().Count() == rates.Length ? rates : throw new FormatException("a rate is named twice");
    }

    private static double ParseFactor(string text) => double.TryParse(text, CultureInfo.InvariantCulture, out var factor) && factor is > 0 and <= 10
        ? factor
        : throw new FormatException($"'{text}' is no factor above 0, up to 10");

    private static string ParseMode(string text) => text is "auto" or "it2v" or "tt2v" ? text : throw new FormatException($"'{text}' is no mode: auto, it2v or tt2v");

    private static IReadOnlyList<PeerCodec> ParseCodecs(string text) => text == "none" ? [] : [.. text.Split(',').Distinct().Select(PeerCodec.Find)];
}
