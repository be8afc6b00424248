using System.Runtime.CompilerServices;

namespace Grpc.Core;

/// <summary>Messages that arrive one after the other. One read at a time.</summary>
public interface IAsyncStreamReader<out T>
{
    /// <summary>The message that <see cref="MoveNext"/> found last.</summary>
    T Current { get; }

    /// <summary>Waits for the next message; false at the end of the stream. On a client, cancelling cancels the call.</summary>
    Task<bool> MoveNext(CancellationToken cancellationToken);
}

/// <summary>A stream to which messages are written. One write at a time.</summary>
public interface IAsyncStreamWriter<in T>
{
    WriteOptions? WriteOptions { get; set; }

    /// <summary>Sends a message; done when the transport has taken it, which is where a slow link holds the writer back.</summary>
    Task WriteAsync(T message);

    /// <summary>As <see cref="WriteAsync(T)"/>. Cancelling a write that has begun cancels the call, since half a message may have left.</summary>
    Task WriteAsync(T message, CancellationToken cancellationToken)
    {
        if (cancellationToken.CanBeCanceled)
            throw new NotSupportedException("This stream writer cannot be cancelled.");
        return WriteAsync(message);
    }
}

/// <summary>The request stream of a call, on the client.</summary>
public interface IClientStreamWriter<in T> : IAsyncStreamWriter<T>
{
    /// <summary>Says that no more messages come. The response stream stays open.</summary>
    Task CompleteAsync();
}

/// <summary>The response stream of a call, on the server.</summary>
public interface IServerStreamWriter<in T> : IAsyncStreamWriter<T>
{
}

/// <summary>Conveniences for streams.</summary>
public static class AsyncStreamReaderExtensions
{
    /// <summary>The stream's messages until its end, for <c>await foreach</c>.</summary>
    public static async IAsyncEnumerable<T> ReadAllAsync<T>(
        this IAsyncStreamReader<T> streamReader, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(streamReader);
        while (await streamReader.MoveNext(cancellationToken))
            yield return streamReader.Current;
    }
}
