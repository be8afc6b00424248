namespace CmvcStream.TestKit;

/// <summary>The folder of clips, traces and scorer that development has beside the repository; no part of it.</summary>
public static class SharedFolder
{
    /// <summary>A folder in it: of $CMVC_SHARED, or of 'shared' beside the repository. Null where there is none, and a test has to skip.</summary>
    public static string? Find(string name)
    {
        string?[] roots = [Environment.GetEnvironmentVariable("CMVC_SHARED"), .. Parents(AppContext.BaseDirectory).Select(p => Path.Combine(p, "shared"))];
        return roots.OfType<string>().Select(r => Path.Combine(r, name)).FirstOrDefault(Directory.Exists);
    }

    private static IEnumerable<string> Parents(string folder)
    {
        for (var parent = Directory.GetParent(folder); parent is not null; parent = parent.Parent)
            yield return parent.FullName;
    }
}
