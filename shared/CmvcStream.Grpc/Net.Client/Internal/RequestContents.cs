using System.Net;

namespace Grpc.Net.Client.Internal;

/// <summary>The one framed request of a call. Its length is not announced: gRPC needs no content-length, and the header costs bytes.</summary>
internal sealed class UnaryContent(ReadOnlyMemory<byte> message) : HttpContent
{
    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken) =>
        stream.WriteAsync(message, cancellationToken).AsTask();

    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return false;
    }
}

/// <summary>A request body that stays open: the handler lends its stream until <see cref="Complete"/>.</summary>
internal sealed class StreamingContent : HttpContent
{
    private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _complete = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Stream? _stream;
    private volatile bool _wanted;
    private volatile bool _written;

    /// <summary>Sends one framed message in one write, then flushes unless it may wait for company.</summary>
    public async Task WriteAsync(ReadOnlyMemory<byte> message, bool flush, CancellationToken cancellationToken)
    {
        _wanted = true;
        await _ready.Task.WaitAsync(cancellationToken);
        _written = true;
        try
        {
            await _stream!.WriteAsync(message, cancellationToken);
            if (flush)
                await _stream.FlushAsync(cancellationToken);
        }
        catch (Exception e)
        {
            _complete.TrySetException(e);
            throw;
        }
    }

    /// <summary>Ends the request.</summary>
    public void Complete() => _complete.TrySetResult();

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        if (_written)
            throw new IOException("The connection was lost after messages had been sent: the call cannot be repeated on another.");
        _stream = stream;
        // The flush sends the request's headers. A message that is waiting takes them along in its own packet instead.
        if (!_wanted && !_complete.Task.IsCompleted)
            await stream.FlushAsync(cancellationToken);
        _ready.TrySetResult();
        await _complete.Task.WaitAsync(cancellationToken);
    }

    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return false;
    }
}
