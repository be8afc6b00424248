using System.Buffers;
using CmvcStream.Codecs.Jpeg;
using CmvcStream.Core.Media;

namespace CmvcStream.Codecs.Tests.Jpeg;

public sealed class JpegTests
{
    [Theory]
    [InlineData(480, 270)]
    [InlineData(241, 135)]
    public void Encode_DecodedByFfmpeg_ShowsThePicture(int width, int height)
    {
        var picture = Pictures.Scene(new(width, height), 3);
        var output = new ArrayBufferWriter<byte>();
        using var jpeg = new JpegEncoder();
        Assert.Equal(jpeg.Encode(picture, 92, output), output.WrittenCount);

        // Back to limited range; ffmpeg's scaler knows JPEG's is full.
        var raw = Pictures.Ffmpeg("-f mjpeg -i - -vf scale=in_range=full:out_range=limited -f rawvideo -pix_fmt yuv420p -", output.WrittenSpan.ToArray());
        var decoded = VideoFrame.Allocate(picture.Size);
        var at = 0;
        foreach (var plane in new[] { decoded.Y, decoded.U, decoded.V })
        {
            for (var y = 0; y < plane.Height; y++, at += plane.Width)
                raw.AsSpan(at, plane.Width).CopyTo(plane.Row(y));
        }

        Assert.Equal(raw.Length, at);
        Assert.True(Pictures.Psnr(picture, decoded) > 36, $"{Pictures.Psnr(picture, decoded):0.0} dB");
        Assert.True(Pictures.ChromaPsnr(picture, decoded) > 36, $"chroma {Pictures.ChromaPsnr(picture, decoded):0.0} dB");
    }

    [Fact]
    public void Encode_LowerQuality_IsSmaller()
    {
        var picture = Pictures.Scene(new(240, 136), 0);
        using var jpeg = new JpegEncoder();
        var output = new ArrayBufferWriter<byte>();
        Assert.True(jpeg.Encode(picture, 30, output) * 2 < jpeg.Encode(picture, 95, output));
    }

    [Fact]
    public void FullRange_EveryLevel_IsWithinOneOfExact()
    {
        for (var level = 0; level < 256; level++)
        {
            byte[] from = [(byte)level], luma = [0], chroma = [0];
            FullRange.Luma(from, luma);
            FullRange.Chroma(from, chroma);
            var clamped = Math.Clamp(level, 16, 240);
            Assert.InRange(luma[0] - Math.Clamp((level - 16) * 255 / 219.0, 0, 255), -1, 1);
            Assert.InRange(chroma[0] - Math.Clamp((clamped - 128) * 255 / 224.0 + 128, 0, 255), -1, 1);
        }
    }

    [Fact]
    public void FullRange_BlackWhiteAndGrey_AreExact()
    {
        byte[] luma = [16, 235], chroma = [128], to = [1, 1];
        FullRange.Luma(luma, to);
        Assert.Equal([0, 255], to);
        FullRange.Chroma(chroma, to);
        Assert.Equal(128, to[0]);
    }

    [Theory]
    [InlineData(31)]
    [InlineData(256)]
    [InlineData(333)]
    public void FullRange_Vectors_EqualScalar(int length)
    {
        var from = new byte[length];
        for (var i = 0; i < length; i++)
            from[i] = (byte)(i * 7);
        byte[] vectors = new byte[length], scalars = new byte[length];
        FullRange.Luma(from, vectors);
        FullRange.LumaScalar(from, scalars);
        Assert.Equal(scalars, vectors);
        FullRange.Chroma(from, vectors);
        FullRange.ChromaScalar(from, scalars);
        Assert.Equal(scalars, vectors);
    }
}
