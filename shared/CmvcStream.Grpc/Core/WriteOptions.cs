namespace Grpc.Core;

/// <summary>How messages are written.</summary>
[Flags]
public enum WriteFlags
{
    /// <summary>Each message leaves at once.</summary>
    None = 0,

    /// <summary>The message may wait in a buffer for the next one, to share its packet.</summary>
    BufferHint = 1,

    /// <summary>The message is sent uncompressed even where the call compresses.</summary>
    NoCompress = 2,
}

/// <summary>Options of the writes of a stream.</summary>
public class WriteOptions(WriteFlags flags = WriteFlags.None)
{
    /// <summary>Each message leaves at once, compressed where the call compresses.</summary>
    public static readonly WriteOptions Default = new();

    public WriteFlags Flags { get; } = flags;
}
