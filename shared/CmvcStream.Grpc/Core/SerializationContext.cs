using System.Buffers;

namespace Grpc.Core;

/// <summary>Where a serializer puts the bytes of one message: either all at once, or into a buffer and then <see cref="Complete()"/>.</summary>
public abstract class SerializationContext
{
    /// <summary>The message is exactly this array.</summary>
    public virtual void Complete(byte[] payload) => throw new NotImplementedException();

    /// <summary>A buffer for the message's bytes; valid until <see cref="Complete()"/>.</summary>
    public virtual IBufferWriter<byte> GetBufferWriter() => throw new NotImplementedException();

    /// <summary>Says how many bytes the message will have, so that the buffer is made once. Optional.</summary>
    public virtual void SetPayloadLength(int payloadLength)
    {
    }

    /// <summary>The message is what the buffer holds.</summary>
    public virtual void Complete() => throw new NotImplementedException();
}
