using System.Buffers;
using System.Buffers.Binary;
using System.IO.Pipelines;
using Grpc.Net.Compression;

namespace Grpc.Core.Internal;

/// <summary>Reads length-prefixed messages from a pipe; the deserializer sees the pipe's own buffers.</summary>
/// <param name="pipe">Where the bytes come from.</param>
/// <param name="maxMessageSize">Largest payload in bytes, before and after decompression; null for no limit.</param>
/// <param name="encoding">The peer's grpc-encoding, or null.</param>
/// <param name="decompression">What undoes that encoding, or null where the encoding is identity or unknown.</param>
internal sealed class MessageReader(PipeReader pipe, int? maxMessageSize, string? encoding, ICompressionProvider? decompression)
{
    /// <summary>The next message, or Found = false at the end of the stream.</summary>
    /// <exception cref="RpcException">Internal: the framing is broken, the stream ends inside a message or the payload cannot be read.
    /// ResourceExhausted: the message is larger than the limit.</exception>
    public async ValueTask<(bool Found, T? Message)> ReadAsync<T>(Func<DeserializationContext, T> deserialize, CancellationToken cancellationToken)
    {
        while (true)
        {
            var result = await pipe.ReadAsync(cancellationToken);
            var buffer = result.Buffer;
            if (TryReadFrame(buffer, out var compressed, out var payload))
            {
                try
                {
                    return (true, Deserialize(deserialize, compressed, payload));
                }
                finally
                {
                    pipe.AdvanceTo(payload.End);
                }
            }

            if (result.IsCanceled)
                throw new OperationCanceledException("The read was cancelled.");
            if (result.IsCompleted)
            {
                pipe.AdvanceTo(buffer.End);
                if (buffer.IsEmpty)
                    return (false, default);
                throw Broken($"The stream ended {buffer.Length} bytes into a message: it was cut short, or its length is wrong.");
            }

            pipe.AdvanceTo(buffer.Start, buffer.End);
        }
    }

    private bool TryReadFrame(ReadOnlySequence<byte> buffer, out bool compressed, out ReadOnlySequence<byte> payload)
    {
        (compressed, payload) = (false, default);
        if (buffer.Length < MessageFramer.PrefixSize)
            return false;
        Span<byte> prefix = stackalloc byte[MessageFramer.PrefixSize];
        buffer.Slice(0, MessageFramer.PrefixSize).CopyTo(prefix);
        if (prefix[0] > 1)
            throw Broken($"The first byte of a message prefix is 0x{prefix[0]:x2}, not 0 or 1: this is no gRPC message.");
        compressed = prefix[0] == 1;
        var length = BinaryPrimitives.ReadUInt32BigEndian(prefix[1..]);
        // Checked before the payload has come, so that no peer can make us wait for or hold what we would refuse.
        if (length > (uint)(maxMessageSize ?? int.MaxValue))
            throw TooLarge(length);
        if (buffer.Length - MessageFramer.PrefixSize < length)
            return false;
        payload = buffer.Slice(MessageFramer.PrefixSize, length);
        return true;
    }

    private T Deserialize<T>(Func<DeserializationContext, T> deserialize, bool compressed, ReadOnlySequence<byte> payload)
    {
        using var plain = compressed ? Decompress(payload) : null;
        try
        {
            return deserialize(new PayloadContext(plain is null ? payload : new ReadOnlySequence<byte>(plain.Written)));
        }
        catch (Exception e) when (e is not RpcException)
        {
            throw new RpcException(new Status(StatusCode.Internal, $"The message could not be deserialized: {e.Message}", e));
        }
    }

    private PooledBuffer Decompress(ReadOnlySequence<byte> payload)
    {
        if (encoding is null or GrpcHeaders.IdentityEncoding)
            throw Broken("A message is marked as compressed, but the call names no grpc-encoding.");
        if (decompression is null)
            throw Broken($"A message is compressed with '{encoding}', which is not enabled here.");

        var plain = new PooledBuffer();
        try
        {
            using var decompressor = decompression.CreateDecompressionStream(new MemoryStream(payload.ToArray()));
            int read;
            while ((read = decompressor.Read(plain.GetSpan(4096))) > 0)
            {
                plain.Advance(read);
                if (plain.Length > (maxMessageSize ?? int.MaxValue))
                    throw TooLarge(plain.Length);
            }

            return plain;
        }
        catch (Exception e)
        {
            plain.Dispose();
            if (e is InvalidDataException or EndOfStreamException)
                throw Broken($"A message marked as '{encoding}' cannot be decompressed: {e.Message}");
            throw;
        }
    }

    private static RpcException Broken(string detail) => new(new Status(StatusCode.Internal, detail));

    private RpcException TooLarge(long length) => new(new Status(
        StatusCode.ResourceExhausted, $"The message received has {length} bytes or more, the limit (MaxReceiveMessageSize) is {maxMessageSize}."));

    private sealed class PayloadContext(ReadOnlySequence<byte> payload) : DeserializationContext
    {
        public override int PayloadLength => (int)payload.Length;

        public override byte[] PayloadAsNewBuffer() => payload.ToArray();

        public override ReadOnlySequence<byte> PayloadAsReadOnlySequence() => payload;
    }
}
