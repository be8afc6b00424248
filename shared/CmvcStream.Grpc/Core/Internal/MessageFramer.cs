using System.Buffers;
using System.Buffers.Binary;
using System.IO.Compression;
using Grpc.Net.Compression;

namespace Grpc.Core.Internal;

/// <summary>
/// Serializes a message behind its five bytes of prefix (compressed flag, length as a big-endian 32-bit number) into one piece of memory,
/// so that it can leave in one write.
/// </summary>
internal sealed class MessageFramer(int? maxMessageSize, ICompressionProvider? compression, CompressionLevel? compressionLevel = null)
    : SerializationContext, IDisposable
{
    public const int PrefixSize = 5;

    private readonly PooledBuffer _frame = new();
    private bool _complete;

    /// <summary>Prefix and payload; valid until the next call or <see cref="Dispose"/>.</summary>
    /// <exception cref="RpcException">ResourceExhausted: the message is larger than the limit. Internal: the serializer threw.</exception>
    public ReadOnlyMemory<byte> Frame<T>(T message, Action<T, SerializationContext> serialize, WriteOptions? options = null)
    {
        _frame.Reset();
        _frame.Advance(ReservePrefix());
        _complete = false;
        try
        {
            serialize(message, this);
        }
        catch (Exception e) when (e is not RpcException)
        {
            throw new RpcException(new Status(StatusCode.Internal, $"The message could not be serialized: {e.Message}", e));
        }

        if (!_complete)
            throw new RpcException(new Status(StatusCode.Internal, "The serializer did not complete the message."));
        var payloadLength = (int)_frame.Length - PrefixSize;
        if (payloadLength > maxMessageSize)
            throw new RpcException(new Status(
                StatusCode.ResourceExhausted, $"The message to send has {payloadLength} bytes, the limit (MaxSendMessageSize) is {maxMessageSize}."));

        var compress = compression is not null && options?.Flags.HasFlag(WriteFlags.NoCompress) != true;
        if (compress)
            Compress();
        var prefix = _frame.WrittenSpan(0, PrefixSize);
        prefix[0] = compress ? (byte)1 : (byte)0;
        BinaryPrimitives.WriteInt32BigEndian(prefix[1..], (int)_frame.Length - PrefixSize);
        return _frame.Written;
    }

    public override void SetPayloadLength(int payloadLength) => _frame.GetSpan(payloadLength);

    public override IBufferWriter<byte> GetBufferWriter() => _frame;

    public override void Complete() => _complete = true;

    public override void Complete(byte[] payload)
    {
        _frame.Write(payload);
        _complete = true;
    }

    public void Dispose() => _frame.Dispose();

    private int ReservePrefix()
    {
        _frame.GetSpan(PrefixSize);
        return PrefixSize;
    }

    private void Compress()
    {
        using var plain = new MemoryStream(_frame.Written[PrefixSize..].ToArray());
        _frame.Reset();
        _frame.Advance(ReservePrefix());
        using var compressor = compression!.CreateCompressionStream(_frame, compressionLevel);
        plain.CopyTo(compressor);
    }
}
