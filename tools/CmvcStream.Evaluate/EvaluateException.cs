namespace CmvcStream.Evaluate;

/// <summary>What stops an evaluation, worded for its user: what, where, and how to mend it.</summary>
public sealed class EvaluateException : Exception
{
    public EvaluateException(string message) : base(message) { }

    public EvaluateException(string message, Exception inner) : base(message, inner) { }

    public EvaluateException() { }
}
