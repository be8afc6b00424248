using Grpc.Core;
using Grpc.Core.Internal;

namespace Grpc.Net.Client.Internal;

/// <summary>The request stream of a call: each message leaves in one write.</summary>
internal sealed class RequestStreamWriter<TRequest>(
    StreamingContent content, MessageFramer framer, Action<TRequest, SerializationContext> serialize, CallOutcome outcome)
    : IClientStreamWriter<TRequest>
{
    private static readonly TimeSpan s_graceForStatus = TimeSpan.FromMilliseconds(250);

    private int _writing;
    private bool _completed;

    public WriteOptions? WriteOptions { get; set; }

    public Task WriteAsync(TRequest message) => WriteAsync(message, CancellationToken.None);

    public async Task WriteAsync(TRequest message, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(message);
        Enter();
        try
        {
            if (_completed)
                throw new InvalidOperationException("The request stream has been completed: no message can follow.");
            ThrowIfEnded();
            cancellationToken.ThrowIfCancellationRequested();
            using var registration = cancellationToken.UnsafeRegister(
                _ => outcome.TryEnd(StatusCode.Cancelled, "The caller cancelled a write."), null);
            var frame = framer.Frame(message, serialize, WriteOptions);
            await SendAsync(frame, WriteOptions?.Flags.HasFlag(WriteFlags.BufferHint) != true);
        }
        finally
        {
            Volatile.Write(ref _writing, 0);
        }
    }

    public Task CompleteAsync()
    {
        Enter();
        _completed = true;
        content.Complete();
        framer.Dispose();
        Volatile.Write(ref _writing, 0);
        return Task.CompletedTask;
    }

    private async Task SendAsync(ReadOnlyMemory<byte> frame, bool flush)
    {
        try
        {
            await content.WriteAsync(frame, flush, outcome.Ended);
        }
        catch (Exception e)
        {
            // A server that ends a call early closes the request stream, and the reason is in its response; who reads that learns it.
            // Without a reader the failed write itself has to tell.
            await Task.WhenAny(outcome.Completion, Task.Delay(s_graceForStatus));
            ThrowIfEnded();
            throw new RpcException(new Status(
                StatusMapping.FromException(e).StatusCode, "The server no longer takes requests of this call: its response stream tells why.", e));
        }
    }

    private void ThrowIfEnded()
    {
        if (!outcome.IsEnded)
            return;
        if (outcome.Status.StatusCode == StatusCode.OK)
            throw new InvalidOperationException("The call has ended: no message can be written.");
        throw outcome.ToException();
    }

    private void Enter()
    {
        if (Interlocked.Exchange(ref _writing, 1) == 1)
            throw new InvalidOperationException("The previous write to this stream is still in progress.");
    }
}
