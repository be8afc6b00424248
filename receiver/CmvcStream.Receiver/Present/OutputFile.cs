namespace CmvcStream.Receiver.Present;

/// <summary>Opens files to write, with errors that help.</summary>
internal static class OutputFile
{
    /// <exception cref="SinkException">It cannot be written.</exception>
    public static FileStream Create(string path, string name)
    {
        Check(path, name);
        try
        {
            // Frames are written whole: a buffer in between would only copy them.
            return new(path, new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, Share = FileShare.Read, BufferSize = 0 });
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new SinkException($"{name}: cannot write {path}: {e.Message}", e);
        }
    }

    /// <exception cref="SinkException">There is no such folder, or the path is one.</exception>
    public static void Check(string path, string name)
    {
        if (path.Length == 0)
            throw new SinkException($"{name} names no file; write for example {name}out{(name.StartsWith("mp4", StringComparison.Ordinal) ? ".mp4" : ".y4m")}");
        if (Directory.Exists(path))
            throw new SinkException($"{name}: {path} is a folder; name a file in it");
        if (Path.GetDirectoryName(Path.GetFullPath(path)) is { } folder && !Directory.Exists(folder))
            throw new SinkException($"{name}: there is no folder {folder}; make it first");
    }
}
