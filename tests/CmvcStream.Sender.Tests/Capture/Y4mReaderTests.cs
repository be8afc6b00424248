using System.IO.Pipelines;
using System.Text;
using CmvcStream.Core.Media;
using CmvcStream.Sender.Capture;
using Xunit;

namespace CmvcStream.Sender.Tests.Capture;

public sealed class Y4mReaderTests
{
    private const string Header = "YUV4MPEG2 W18 H16 F15:1 Ip A1:1 C420jpeg XYSCSS=420JPEG\n";
    private const int Pixels = 18 * 16 * 3 / 2;

    [Fact]
    public async Task ReadHeaderAsync_Header_TellsTheSize()
    {
        var reader = Reader(Bytes(Header));

        Assert.True(await reader.ReadHeaderAsync(default));
        Assert.Equal(new(18, 16), reader.Size);
    }

    [Fact]
    public async Task ReadFrameAsync_BytesInDribbles_FillsAllPlanes()
    {
        var pixels = Enumerable.Range(0, Pixels).Select(i => (byte)i).ToArray();
        var reader = Reader([.. Bytes(Header), .. Bytes("FRAME\n"), .. pixels, .. Bytes("FRAME Ip\n"), .. pixels.Reverse()], dribble: 7);
        await reader.ReadHeaderAsync(default);
        using var first = VideoFrame.Allocate(reader.Size);
        using var second = VideoFrame.Allocate(reader.Size);

        Assert.True(await reader.ReadFrameAsync(first, default));
        Assert.True(await reader.ReadFrameAsync(second, default));
        Assert.False(await reader.ReadFrameAsync(second, default));
        Assert.Equal(pixels, Content(first));
        Assert.Equal(pixels.Reverse(), Content(second));
    }

    [Fact]
    public async Task ReadHeaderAsync_NothingAtAll_IsFalse() => Assert.False(await Reader([]).ReadHeaderAsync(default));

    [Theory]
    [InlineData("RIFF W18 H16\n", "YUV4MPEG2")]
    [InlineData("YUV4MPEG2 H16\n", "without width")]
    [InlineData("YUV4MPEG2 W18 H99999\n", "99999")]
    [InlineData("YUV4MPEG2 W8 H16\n", "16 to 4096")]
    [InlineData("YUV4MPEG2 W18 H16 C444\n", "444")]
    public async Task ReadHeaderAsync_Foreign_SaysWhatIsWrong(string header, string expected)
    {
        var e = await Assert.ThrowsAsync<InvalidDataException>(() => Reader(Bytes(header)).ReadHeaderAsync(default).AsTask());

        Assert.Contains(expected, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ReadFrameAsync_EndWithinAPicture_Throws()
    {
        var reader = Reader([.. Bytes(Header), .. Bytes("FRAME\n"), .. new byte[Pixels - 1]]);
        await reader.ReadHeaderAsync(default);
        using var frame = VideoFrame.Allocate(reader.Size);

        await Assert.ThrowsAsync<EndOfStreamException>(() => reader.ReadFrameAsync(frame, default).AsTask());
    }

    [Fact]
    public async Task ReadFrameAsync_DamagedBytes_FailCleanly()
    {
        byte[] good = [.. Bytes(Header), .. Bytes("FRAME\n"), .. new byte[Pixels], .. Bytes("FRAME\n"), .. new byte[Pixels]];
        var random = new Random(17);
        var failures = 0;
        for (var round = 0; round < 2000; round++)
        {
            var bytes = good[..random.Next(good.Length + 1)];
            for (var i = random.Next(4); i > 0 && bytes.Length > 0; i--)
                bytes[random.Next(Math.Min(bytes.Length, 70))] = (byte)random.Next(256);
            try
            {
                await ReadAllAsync(Reader(bytes));
            }
            catch (Exception e) when (e is InvalidDataException or EndOfStreamException)
            {
                failures++;
            }
        }

        Assert.InRange(failures, 1000, 2000);
    }

    private static async Task ReadAllAsync(Y4mReader reader)
    {
        if (!await reader.ReadHeaderAsync(default) || reader.Size.Area > 1000)
            return;
        using var frame = VideoFrame.Allocate(reader.Size);
        while (await reader.ReadFrameAsync(frame, default))
        {
        }
    }

    private static IEnumerable<byte> Content(VideoFrame frame)
    {
        var bytes = new List<byte>();
        foreach (var plane in new[] { frame.Y, frame.U, frame.V })
        {
            for (var y = 0; y < plane.Height; y++)
                bytes.AddRange(plane.Row(y).ToArray());
        }

        return bytes;
    }

    private static byte[] Bytes(string text) => Encoding.ASCII.GetBytes(text);

    private static Y4mReader Reader(byte[] bytes, int dribble = 4096) =>
        new(PipeReader.Create(new MemoryStream(bytes), new(bufferSize: dribble, minimumReadSize: 1)));
}
