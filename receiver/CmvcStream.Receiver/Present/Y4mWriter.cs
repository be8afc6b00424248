using System.Text;
using CmvcStream.Core.Media;

namespace CmvcStream.Receiver.Present;

/// <summary>
/// Writes frames as YUV4MPEG2 (what <c>man 5 yuv4mpeg</c> describes, with ffmpeg's XCOLORRANGE). The first frame decides the size.
/// The k-th frame written is presentation frame first + k: numbers left out are filled with the picture before them, so that time
/// in the file stays true.
/// </summary>
internal sealed class Y4mWriter(Stream stream, FrameRate rate, string name)
{
    // C420mpeg2: chroma sits left, as H.264 and AV1 sources have it. BT.601 has no tag; it is what readers take for small pictures.
    private const string Format = "Ip A1:1 C420mpeg2 XYSCSS=420MPEG2 XCOLORRANGE=LIMITED";
    private static readonly byte[] Mark = "FRAME\n"u8.ToArray();
    private byte[] _buffer = [];
    private PixelSize? _size;
    private long _next;

    /// <summary>Writes the frame, and before it the last one again for every number that is missing.</summary>
    /// <returns>How many frames were filled in.</returns>
    /// <exception cref="SinkException">The picture size has changed.</exception>
    public async ValueTask<int> WriteAsync(RegeneratedFrame frame, CancellationToken cancellationToken)
    {
        var size = frame.Frame.Size;
        if (_size is null)
        {
            _size = size;
            _next = frame.Number;
            _buffer = new byte[Mark.Length + I420.Length(size)];
            Mark.CopyTo(_buffer, 0);
            var header = $"YUV4MPEG2 W{size.Width} H{size.Height} F{rate.Rate}:{rate.Scale} {Format}\n";
            await stream.WriteAsync(Encoding.ASCII.GetBytes(header), cancellationToken);
        }

        if (size != _size)
            throw new SinkException($"{name}: the picture size changed from {_size} to {size}, which this kind of file cannot hold; write each source to its own file");
        var filled = 0;
        for (; _next < frame.Number; _next++, filled++)
            await stream.WriteAsync(_buffer, cancellationToken);
        I420.Copy(frame.Frame, _buffer.AsSpan(Mark.Length));
        await stream.WriteAsync(_buffer, cancellationToken);
        _next++;
        return filled;
    }
}

/// <summary>Pixels of a frame without the padding of its rows: Y, then U, then V.</summary>
internal static class I420
{
    public static int Length(PixelSize size) => size.Area + 2 * size.Chroma.Area;

    public static void Copy(VideoFrame frame, Span<byte> destination)
    {
        Copy(frame.Y, ref destination);
        Copy(frame.U, ref destination);
        Copy(frame.V, ref destination);
    }

    private static void Copy(Plane plane, ref Span<byte> destination)
    {
        for (var y = 0; y < plane.Height; y++)
        {
            plane.Row(y).CopyTo(destination);
            destination = destination[plane.Width..];
        }
    }
}
