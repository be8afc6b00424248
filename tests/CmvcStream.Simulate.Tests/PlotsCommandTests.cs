using System.Xml.Linq;
using Xunit;

namespace CmvcStream.Simulate.Tests;

public sealed class PlotsCommandTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("plots");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void Run_WithOneOfTheTraces_DrawsAllAndSaysWhatWasLeftOut()
    {
        var traces = _folder.CreateSubdirectory("traces").FullName;
        File.WriteAllLines(Path.Combine(traces, "Verizon-EVDO-driving.up"), Enumerable.Range(1, 100).Select(n => $"{n * 20}"));
        using var tables = new StringWriter();
        using var notes = new StringWriter();

        PlotsCommand.Run(Path.Combine(_folder.FullName, "out"), traces, [0], tables, notes);

        var figures = Directory.GetFiles(Path.Combine(_folder.FullName, "out")).Order(StringComparer.Ordinal).ToList();
        Assert.Equal(["loss.svg", "outage.svg", "ramp.svg", "step-300ms.svg", "step-50ms.svg", "trace-Verizon-EVDO-driving-up.svg"], figures.Select(Path.GetFileName));
        foreach (var figure in figures)
        {
            Assert.Equal("svg", XDocument.Load(figure).Root!.Name.LocalName);
            Assert.DoesNotContain("NaN", File.ReadAllText(figure), StringComparison.Ordinal);
            Assert.InRange(new FileInfo(figure).Length, 5000, 60_000);
        }

        var rows = tables.ToString().Split('\n').Where(l => l.StartsWith('|')).Select(l => l.Count(c => c == '|')).ToList();
        Assert.Equal([.. Enumerable.Repeat(7, 2 + 12), .. Enumerable.Repeat(10, 2 + 2 * 6)], rows);
        Assert.DoesNotContain("NaN", tables.ToString(), StringComparison.Ordinal);
        Assert.Equal(3, notes.ToString().Split("left out: ").Length - 1);
    }

    [Fact]
    public void Run_Twice_GivesTheSame()
    {
        var first = Run("a");

        Assert.Equal(first, Run("b"));
    }

    private string Run(string name)
    {
        using var tables = new StringWriter();
        var folder = Path.Combine(_folder.FullName, name);
        PlotsCommand.Run(folder, traces: null, [0], tables, TextWriter.Null);
        return tables + string.Concat(Directory.GetFiles(folder).Order(StringComparer.Ordinal).Select(File.ReadAllText));
    }
}
