using CmvcStream.Core.Media;
using CmvcStream.Receiver.Present;

namespace CmvcStream.Receiver;

/// <summary>The sinks of one session. A later session's files get its number, so that nothing is written over.</summary>
internal static class SessionSinks
{
    public static List<IFrameSink> Create(ReceiveOptions options, int session, TextWriter output, Action<string> report) =>
        [.. options.Out.Select(o => FrameSinks.Create(Numbered(o, session), options.Fps, output, report, TimeProvider.System))];

    /// <summary>y4m:out.y4m of session 2 is y4m:out-2.y4m.</summary>
    internal static string Numbered(string specification, int session)
    {
        var colon = specification.IndexOf(':', StringComparison.Ordinal);
        if (session == 1 || colon < 0 || colon == specification.Length - 1)
            return specification;
        var path = specification[(colon + 1)..];
        var name = $"{Path.GetFileNameWithoutExtension(path)}-{session}{Path.GetExtension(path)}";
        return $"{specification[..colon]}:{Path.Combine(Path.GetDirectoryName(path) ?? "", name)}";
    }
}
