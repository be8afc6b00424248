using System.Diagnostics.CodeAnalysis;
using Grpc.Core;

namespace Grpc.Net.Client.Internal;

/// <summary>
/// How and when a call ends: the first of response, failure, deadline, cancellation and disposal decides its status; all else that happens
/// to the call is then reported as that status.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "Every call ends, which releases the timer; a source without a timer holds nothing.")]
internal sealed class CallOutcome
{
    // The longest that a timer takes, 49 days; a later deadline is left to the server.
    private static readonly TimeSpan s_longestTimer = TimeSpan.FromMilliseconds(uint.MaxValue - 1);

    private readonly CancellationTokenSource _ended = new();
    private readonly TaskCompletionSource<(Status Status, Metadata Trailers)> _result = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationToken _callerToken;
    private readonly bool _throwOperationCanceled;
    private readonly CancellationTokenRegistration _callerRegistration;
    private readonly CancellationTokenRegistration _channelRegistration;
    private readonly Timer? _deadlineTimer;

    public CallOutcome(TimeSpan? timeout, CancellationToken callerToken, CancellationToken channelClosed, bool throwOperationCanceled)
    {
        _callerToken = callerToken;
        _throwOperationCanceled = throwOperationCanceled;
        Ended = _ended.Token;
        if (timeout < s_longestTimer)
            _deadlineTimer = new Timer(_ => TryEnd(StatusCode.DeadlineExceeded, "The deadline passed."), null, timeout.Value, Timeout.InfiniteTimeSpan);
        _callerRegistration = callerToken.UnsafeRegister(_ => TryEnd(StatusCode.Cancelled, "The caller cancelled the call."), null);
        _channelRegistration = channelClosed.UnsafeRegister(_ => TryEnd(StatusCode.Cancelled, "The channel was closed."), null);
        // Registrations that fired in the constructor could not release what came after them.
        if (IsEnded)
            Release();
    }

    /// <summary>Cancelled when the call has ended, however it did: what still reads or writes stops.</summary>
    public CancellationToken Ended { get; }

    public bool IsEnded => _result.Task.IsCompleted;

    public Task Completion => _result.Task;

    public Status Status => Result.Status;

    public Metadata Trailers => Result.Trailers;

    private (Status Status, Metadata Trailers) Result =>
        IsEnded ? _result.Task.Result : throw new InvalidOperationException("The call has not ended: it has neither status nor trailers yet.");

    /// <summary>Sets the status unless the call has ended before.</summary>
    public bool TryEnd(Status status, Metadata? trailers = null)
    {
        if (!_result.TrySetResult((status, trailers ?? Metadata.Empty)))
            return false;
        Release();
        _ended.Cancel();
        return true;
    }

    public bool TryEnd(StatusCode code, string detail) => TryEnd(new Status(code, detail));

    /// <summary>The exception by which a call that ended without success is reported.</summary>
    public Exception ToException() =>
        _throwOperationCanceled && Status.StatusCode == StatusCode.Cancelled && _callerToken.IsCancellationRequested
            ? new OperationCanceledException(Status.Detail, new RpcException(Status, Trailers), _callerToken)
            : new RpcException(Status, Trailers);

    private void Release()
    {
        _deadlineTimer?.Dispose();
        _callerRegistration.Unregister();
        _channelRegistration.Unregister();
    }
}
