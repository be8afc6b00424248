namespace CmvcStream.Receiver.Present;

/// <summary>An output cannot be opened or written; the message names it, says what went wrong and how to mend it.</summary>
public sealed class SinkException : Exception
{
    public SinkException(string message) : base(message) { }

    public SinkException(string message, Exception inner) : base(message, inner) { }

    public SinkException() { }
}
