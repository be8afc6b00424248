using CmvcStream.Evaluate.Report;
using CmvcStream.Evaluate.Tests.Compare;

namespace CmvcStream.Evaluate.Tests.Report;

public sealed class MarkdownTablesTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("cmvc-document-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void WriteInto_Document_ReplacesWhatIsBetweenTheMarkersOnly()
    {
        var path = Path.Combine(_folder.FullName, "document.md");
        File.WriteAllText(path, "before\n<!-- evaluate: begin -->\nstale\n<!-- evaluate: end -->\nafter\n");
        var evaluation = Samples.Of(Samples.Clip("c", [Samples.Ours(4, 3, 30), Samples.Ours(8, 7, 34)], Samples.Peer("x265", 2, 5, 28), Samples.Peer("x265", 16, 20, 38)));

        MarkdownTables.WriteInto(path, evaluation);
        MarkdownTables.WriteInto(path, evaluation);

        var text = File.ReadAllText(path);
        Assert.StartsWith("before\n<!-- evaluate: begin -->\n\nMade 2026-01-02", text);
        Assert.EndsWith("<!-- evaluate: end -->\nafter\n", text);
        Assert.DoesNotContain("stale", text);
        Assert.Contains("| 8 | 0 won, 1 lost of 1 |", text);
    }

    [Fact]
    public void WriteInto_DocumentWithoutMarkers_SaysWhichAreMissing()
    {
        var path = Path.Combine(_folder.FullName, "document.md");
        File.WriteAllText(path, "nothing\n");
        Assert.Contains("lacks the lines <!-- evaluate: begin -->", Assert.Throws<EvaluateException>(() => MarkdownTables.WriteInto(path, Samples.Of())).Message);
    }

    [Fact]
    public void WriteInto_DocumentThatIsMissing_SaysSo() =>
        Assert.Contains("no such document", Assert.Throws<EvaluateException>(() => MarkdownTables.WriteInto(Path.Combine(_folder.FullName, "none.md"), Samples.Of())).Message);
}
