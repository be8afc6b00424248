using System.Buffers;
using System.Buffers.Binary;
using CmvcStream.Core.Media;

namespace CmvcStream.Receiver.Viewer;

/// <summary>
/// One binary message of the page's WebSocket, shared by all viewers: a header of 32 bytes (little endian), then a JPEG.
/// 0: version, 1: <see cref="Provenance"/>, 2: flags (16 bit, none yet), 4: width, 6: height, 8: frame number (64 bit),
/// 16: source time in microseconds (64 bit), 24: Unix time of its presentation in milliseconds (double).
/// Reference counted: each holder disposes it once.
/// </summary>
internal sealed class EncodedPicture : IDisposable
{
    public const int HeaderLength = 32;
    public const byte Version = 1;
    private readonly byte[] _buffer;
    private readonly int _length;
    private int _references = 1;

    public EncodedPicture(RegeneratedFrame frame, double presentedMs, ReadOnlySpan<byte> picture)
    {
        _length = HeaderLength + picture.Length;
        _buffer = ArrayPool<byte>.Shared.Rent(_length);
        var header = _buffer.AsSpan(0, HeaderLength);
        header.Clear();
        header[0] = Version;
        header[1] = (byte)frame.Provenance;
        BinaryPrimitives.WriteUInt16LittleEndian(header[4..], (ushort)frame.Frame.Size.Width);
        BinaryPrimitives.WriteUInt16LittleEndian(header[6..], (ushort)frame.Frame.Size.Height);
        BinaryPrimitives.WriteInt64LittleEndian(header[8..], frame.Number);
        BinaryPrimitives.WriteInt64LittleEndian(header[16..], frame.Frame.Pts.Microseconds);
        BinaryPrimitives.WriteDoubleLittleEndian(header[24..], presentedMs);
        picture.CopyTo(_buffer.AsSpan(HeaderLength));
    }

    public ReadOnlyMemory<byte> Message => _buffer.AsMemory(0, _length);

    public EncodedPicture AddReference()
    {
        Interlocked.Increment(ref _references);
        return this;
    }

    public void Dispose()
    {
        if (Interlocked.Decrement(ref _references) == 0)
            ArrayPool<byte>.Shared.Return(_buffer);
    }
}
