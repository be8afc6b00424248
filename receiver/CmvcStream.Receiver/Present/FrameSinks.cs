using CmvcStream.Core.Media;

namespace CmvcStream.Receiver.Present;

/// <summary>Makes sinks from what people write after --out.</summary>
public static class FrameSinks
{
    /// <summary>Opens the sink that <paramref name="specification"/> names: null:, hash:, y4m:FILE or mp4:FILE.</summary>
    /// <param name="specification">Kind, colon, path.</param>
    /// <param name="rate">Presentation frames a second.</param>
    /// <param name="output">Where hash: prints its line.</param>
    /// <param name="report">Takes a message for the user, such as that frames are being lost.</param>
    /// <param name="time">Dates the frames of a y4m file.</param>
    /// <exception cref="FormatException">There is no such kind of output.</exception>
    /// <exception cref="SinkException">The file cannot be written.</exception>
    public static IFrameSink Create(string specification, FrameRate rate, TextWriter output, Action<string> report, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(specification);
        var colon = specification.IndexOf(':', StringComparison.Ordinal);
        var (kind, path) = colon < 0 ? (specification, "") : (specification[..colon], specification[(colon + 1)..]);
        return kind switch
        {
            "null" when path.Length == 0 => new NullSink(),
            "hash" when path.Length == 0 => new HashSink(output, report),
            "null" or "hash" => throw new FormatException($"'{specification}': {kind}: takes no file; write {kind}:"),
            "y4m" => new Y4mSink(path, rate, report, time),
            "mp4" => new Mp4Sink(path, rate, report),
            _ => throw new FormatException($"'{specification}' is no output; write y4m:FILE, mp4:FILE, hash: or null:"),
        };
    }
}
