using System.Buffers;
using CmvcStream.Core.Media;

namespace CmvcStream.Receiver.Viewer;

/// <summary>Makes a picture that browsers decode (JPEG).</summary>
public interface IPictureEncoder
{
    /// <summary>Encodes a frame. One call at a time.</summary>
    /// <param name="frame">The picture.</param>
    /// <param name="quality">JPEG quality, 1 (worst) to 100 (best).</param>
    /// <param name="output">Receives the bytes.</param>
    /// <returns>Bytes written.</returns>
    int Encode(VideoFrame frame, int quality, IBufferWriter<byte> output);
}
