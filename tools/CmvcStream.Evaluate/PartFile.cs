using System.Text.Json;
using CmvcStream.Evaluate.Compare;

namespace CmvcStream.Evaluate;

/// <summary>JSON files that are there as a whole or not at all, so that an evaluation that was stopped goes on where it was.</summary>
internal static class PartFile
{
    /// <summary>What is kept there; null where nothing is, or what another version has left.</summary>
    public static T? Read<T>(string path) where T : class
    {
        try
        {
            return File.Exists(path) ? (T?)JsonSerializer.Deserialize(File.ReadAllText(path), typeof(T), EvaluationJson.Default) : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    public static void Write<T>(string path, T value) where T : class => WriteText(path, JsonSerializer.Serialize(value, typeof(T), EvaluationJson.Default) + "\n");

    /// <exception cref="EvaluateException">The file cannot be written.</exception>
    public static void WriteText(string path, string text)
    {
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
            File.WriteAllText(path + ".partial", text);
            File.Move(path + ".partial", path, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new EvaluateException($"{path} cannot be written: {e.Message}", e);
        }
    }
}
