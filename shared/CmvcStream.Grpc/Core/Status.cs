namespace Grpc.Core;

/// <summary>The status code of a call and a text about it; <paramref name="debugException"/> never leaves this process.</summary>
public readonly struct Status(StatusCode statusCode, string detail, Exception? debugException = null)
{
    private readonly string? _detail = detail;

    /// <summary>OK without a text.</summary>
    public static Status DefaultSuccess { get; } = new(StatusCode.OK, "");

    /// <summary>Cancelled without a text.</summary>
    public static Status DefaultCancelled { get; } = new(StatusCode.Cancelled, "");

    public StatusCode StatusCode { get; } = statusCode;

    /// <summary>Never null; empty when the peer sent none.</summary>
    public string Detail => _detail ?? "";

    /// <summary>The local exception behind the status, when there is one.</summary>
    public Exception? DebugException { get; } = debugException;

    public override string ToString() => DebugException is null
        ? $"Status(StatusCode=\"{StatusCode}\", Detail=\"{Detail}\")"
        : $"Status(StatusCode=\"{StatusCode}\", Detail=\"{Detail}\", DebugException=\"{DebugException.GetType().Name}: {DebugException.Message}\")";
}
