using System.Buffers;
using CmvcStream.Codecs.Jpeg;
using CmvcStream.Core.Media;

namespace CmvcStream.Receiver.Viewer;

/// <summary>The page's pictures are JPEG, which every browser decodes off its main thread.</summary>
internal sealed class JpegPictureEncoder : IPictureEncoder, IDisposable
{
    private readonly JpegEncoder _encoder = new();
    private readonly Writer _writer = new();

    public int Encode(VideoFrame frame, int quality, ref byte[] buffer)
    {
        _writer.Reset(buffer);
        _encoder.Encode(frame, quality, _writer);
        buffer = _writer.Buffer;
        return _writer.Written;
    }

    public void Dispose() => _encoder.Dispose();

    /// <summary>Writes into a buffer that grows where it must and is used again.</summary>
    private sealed class Writer : IBufferWriter<byte>
    {
        public byte[] Buffer { get; private set; } = [];

        public int Written { get; private set; }

        public void Reset(byte[] buffer) => (Buffer, Written) = (buffer, 0);

        public void Advance(int count) => Written += count;

        public Memory<byte> GetMemory(int sizeHint = 0)
        {
            Grow(sizeHint);
            return Buffer.AsMemory(Written);
        }

        public Span<byte> GetSpan(int sizeHint = 0)
        {
            Grow(sizeHint);
            return Buffer.AsSpan(Written);
        }

        private void Grow(int sizeHint)
        {
            if (Buffer.Length - Written >= Math.Max(sizeHint, 1))
                return;
            var larger = new byte[Math.Max(Buffer.Length * 2, Written + Math.Max(sizeHint, 4096))];
            Buffer.AsSpan(0, Written).CopyTo(larger);
            Buffer = larger;
        }
    }
}
