using System.Buffers;
using CmvcStream.Codecs.Jpeg;
using CmvcStream.Core.Media;

namespace CmvcStream.Receiver.Viewer;

/// <summary>The page's pictures are JPEG, which every browser decodes off its main thread.</summary>
internal sealed class JpegPictureEncoder : IPictureEncoder, IDisposable
{
    private readonly JpegEncoder _encoder = new();

    public int Encode(VideoFrame frame, int quality, IBufferWriter<byte> output) => _encoder.Encode(frame, quality, output);

    public void Dispose() => _encoder.Dispose();
}
