using System.Reflection;

namespace CmvcStream.Receiver.Viewer;

/// <summary>The page's files, which travel inside the program.</summary>
internal static class PageFiles
{
    private static readonly Dictionary<string, string> Types = new()
    {
        [".html"] = "text/html; charset=utf-8",
        [".js"] = "text/javascript; charset=utf-8",
        [".css"] = "text/css; charset=utf-8",
        [".svg"] = "image/svg+xml",
    };

    private static readonly Dictionary<string, (byte[] Bytes, string Type)> Files = Load();

    /// <summary>The file of a path such as "/viewer.js"; "/" is the page itself. Null: there is none.</summary>
    public static (byte[] Bytes, string Type)? Find(string path) =>
        Files.TryGetValue(path == "/" ? "/index.html" : path, out var file) ? file : null;

    private static Dictionary<string, (byte[], string)> Load()
    {
        const string Folder = "wwwroot";
        var assembly = Assembly.GetExecutingAssembly();
        var files = new Dictionary<string, (byte[], string)>();
        foreach (var name in assembly.GetManifestResourceNames().Where(n => n.StartsWith(Folder, StringComparison.Ordinal)))
        {
            using var stream = assembly.GetManifestResourceStream(name)!;
            var bytes = new byte[stream.Length];
            stream.ReadExactly(bytes);
            files[name[Folder.Length..]] = (bytes, Types[Path.GetExtension(name)]);
        }

        return files;
    }
}
