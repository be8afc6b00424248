namespace CmvcStream.Inference;

/// <summary>A model that cannot be used; the message says which file, what is wrong and how to mend it.</summary>
public sealed class ModelException : Exception
{
    public ModelException(string message) : base(message) { }

    public ModelException(string message, Exception inner) : base(message, inner) { }

    public ModelException() { }
}
