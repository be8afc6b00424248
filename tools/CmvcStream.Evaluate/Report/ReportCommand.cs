using System.CommandLine;
using CmvcStream.CommandLine;
using CmvcStream.Evaluate.Compare;

namespace CmvcStream.Evaluate.Report;

/// <summary>report FILE.json: the page (and a document's tables) again from what was measured.</summary>
internal static class ReportCommand
{
    public static Command Build(TextWriter output, TextWriter error)
    {
        var file = new Argument<string>("EVALUATION") { Description = "evaluation.json of an evaluation." };
        var report = CommandOptions.Value<string?>("--report", "DIR", t => t, "Where to write report.html; pictures are taken from its parts.");
        var document = CommandOptions.Value<string?>("--document", "FILE.md", t => t,
            "A document whose section between the markers 'evaluate: begin' and 'evaluate: end' is replaced.");
        var command = new Command("report", "Makes the page, or a document's tables, from an evaluation.") { file, report, document };
        command.SetAction((r, stop) => EvaluateCommand.Guarded(error, () =>
        {
            if (r.GetValue(report) is null && r.GetValue(document) is null)
                throw new FormatException("nothing to make: --report DIR or --document FILE.md");
            var evaluation = Evaluation.Read(r.GetRequiredValue(file));
            if (r.GetValue(report) is { } folder)
                WritePage(evaluation, folder, output);
            if (r.GetValue(document) is { } path)
                MarkdownTables.WriteInto(path, evaluation);
            return Task.FromResult(0);
        }));
        return command;
    }

    /// <summary>Writes evaluation.json and report.html.</summary>
    public static void Write(Evaluation evaluation, string folder, TextWriter output)
    {
        evaluation.Write(Path.Combine(folder, "evaluation.json"));
        WritePage(evaluation, folder, output);
    }

    private static void WritePage(Evaluation evaluation, string folder, TextWriter output)
    {
        var page = Path.Combine(folder, "report.html");
        PartFile.WriteText(page, HtmlReport.Render(evaluation, (clip, picture) => Picture(Path.Combine(folder, "parts"), clip, picture)));
        output.WriteLine($"report {page}");
    }

    private static string? Picture(string parts, string clip, string name)
    {
        string[] places = name == "source"
            ? [Path.Combine(parts, "sequences", clip + ".jpg")]
            : [Path.Combine(parts, "ours", name), Path.Combine(parts, "peers", clip, name)];
        return places.FirstOrDefault(File.Exists) is { } file ? "data:image/jpeg;base64," + Convert.ToBase64String(File.ReadAllBytes(file)) : null;
    }
}
