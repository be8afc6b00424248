using System.Buffers;
using System.Globalization;
using System.IO.Pipelines;
using System.Text;
using CmvcStream.Core.Media;

namespace CmvcStream.Sender.Capture;

/// <summary>Reads yuv4mpeg (8-bit 4:2:0) from a pipe straight into frames.</summary>
/// <param name="input">The bytes; the caller completes it.</param>
public sealed class Y4mReader(PipeReader input)
{
    private const int LongestLine = 256;

    /// <summary>The picture size; known after <see cref="ReadHeaderAsync"/>.</summary>
    public PixelSize Size { get; private set; }

    /// <summary>Reads the stream header. False when the stream ends before its first byte.</summary>
    /// <exception cref="InvalidDataException">The bytes are no yuv4mpeg, or of another pixel format.</exception>
    /// <exception cref="EndOfStreamException">The stream ends within the header.</exception>
    public async ValueTask<bool> ReadHeaderAsync(CancellationToken cancellationToken)
    {
        if (await ReadLineAsync(ParseHeader, cancellationToken) is not { } size)
            return false;
        Size = size;
        return true;
    }

    /// <summary>Fills a frame of <see cref="Size"/> with the next picture. False at the end of the stream.</summary>
    /// <exception cref="InvalidDataException">The bytes are no frame.</exception>
    /// <exception cref="EndOfStreamException">The stream ends within the picture.</exception>
    public async ValueTask<bool> ReadFrameAsync(VideoFrame frame, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(frame);
        if (frame.Size != Size)
            throw new ArgumentException($"a frame of {frame.Size} for a stream of {Size}", nameof(frame));
        if (await ReadLineAsync(ParseFrameLine, cancellationToken) is null)
            return false;
        var bytes = Size.Area + 2 * Size.Chroma.Area;
        var result = await input.ReadAtLeastAsync(bytes, cancellationToken);
        if (result.Buffer.Length < bytes)
        {
            input.AdvanceTo(result.Buffer.End);
            throw new EndOfStreamException("the pictures end in the middle of one");
        }

        var pixels = new SequenceReader<byte>(result.Buffer);
        Fill(frame.Y, ref pixels);
        Fill(frame.U, ref pixels);
        Fill(frame.V, ref pixels);
        input.AdvanceTo(pixels.Position);
        return true;
    }

    private static void Fill(Plane plane, ref SequenceReader<byte> pixels)
    {
        for (var y = 0; y < plane.Height; y++)
        {
            pixels.TryCopyTo(plane.Row(y));
            pixels.Advance(plane.Width);
        }
    }

    // Null at the end of the stream.
    private async ValueTask<PixelSize?> ReadLineAsync(Func<ReadOnlySequence<byte>, PixelSize> parse, CancellationToken cancellationToken)
    {
        while (true)
        {
            var result = await input.ReadAsync(cancellationToken);
            if (result.Buffer.PositionOf((byte)'\n') is { } end)
            {
                var line = parse(result.Buffer.Slice(0, end));
                input.AdvanceTo(result.Buffer.GetPosition(1, end));
                return line;
            }

            var length = result.Buffer.Length;
            input.AdvanceTo(result.Buffer.Start, result.Buffer.End);
            if (length > LongestLine)
                throw new InvalidDataException($"no yuv4mpeg: a line is longer than {LongestLine} bytes");
            if (result.IsCompleted)
                return length == 0 ? null : throw new EndOfStreamException("the pictures end in the middle of a line");
        }
    }

    private PixelSize ParseFrameLine(ReadOnlySequence<byte> line)
    {
        Span<byte> start = stackalloc byte[6];
        var length = (int)Math.Min(line.Length, start.Length);
        line.Slice(0, length).CopyTo(start);
        if (line.Length > LongestLine || !start[..length].SequenceEqual("FRAME"u8) && !start.SequenceEqual("FRAME "u8))
            throw new InvalidDataException("no yuv4mpeg: a picture does not begin with FRAME");
        return Size;
    }

    private static PixelSize ParseHeader(ReadOnlySequence<byte> line)
    {
        if (line.Length > LongestLine)
            throw new InvalidDataException($"no yuv4mpeg: the header is longer than {LongestLine} bytes");
        var words = Encoding.ASCII.GetString(line).Split(' ');
        if (words[0] != "YUV4MPEG2")
            throw new InvalidDataException("no yuv4mpeg: it does not begin with YUV4MPEG2");
        int width = 0, height = 0;
        foreach (var word in words.Skip(1).Where(w => w.Length > 0))
        {
            switch (word[0])
            {
                case 'W':
                    width = Side(word);
                    break;
                case 'H':
                    height = Side(word);
                    break;
                case 'C' when word is not ("C420" or "C420jpeg" or "C420mpeg2" or "C420paldv"):
                    throw new InvalidDataException($"yuv4mpeg of the pixel format {word[1..]}; only 8-bit 4:2:0 is read");
            }
        }

        return width > 0 && height > 0 ? new(width, height) : throw new InvalidDataException("yuv4mpeg without width or height");
    }

    private static int Side(string word) =>
        int.TryParse(word.AsSpan(1), NumberStyles.None, CultureInfo.InvariantCulture, out var side) && side is >= 16 and <= 4096
            ? side
            : throw new InvalidDataException($"a picture side of {word[1..]} pixels; 16 to 4096 are handled");
}
