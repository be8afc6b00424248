using CmvcStream.Codecs.Av1;
using CmvcStream.Core.Codec;
using CmvcStream.Core.Media;

namespace CmvcStream.Codecs.Tests.Av1;

public sealed class DecoderDamageTests
{
    private static readonly PixelSize Size = new(96, 64);

    // For a longer hunt set CMVC_FUZZ_ROUNDS; each hundred thousand takes some minutes.
    [Fact]
    public void Decode_Mutations_NeverCrashAndNextIntraMends()
    {
        var packets = Record(8);
        var rounds = int.Parse(Environment.GetEnvironmentVariable("CMVC_FUZZ_ROUNDS") ?? "2000", System.Globalization.CultureInfo.InvariantCulture);
        var random = new Random(20240817 + rounds);
        int refused = 0, shown = 0;
        for (var round = 0; round < rounds; round++)
        {
            using var decoder = new AomKeyframeDecoder(Size);
            for (var i = 0; i < packets.Count; i++)
            {
                try
                {
                    // Often whole to the middle, so that damage meets a decoder with references.
                    decoder.Decode(i < round % 8 ? packets[i] : Mutate(packets[i], random)).Dispose();
                    shown++;
                }
                catch (CodecException)
                {
                    refused++;
                }
            }

            using var mended = decoder.Decode(packets[0]);
            Assert.Equal(Size, mended.Size);
        }

        Assert.True(refused > 500 && shown > 100, $"{refused} refused, {shown} shown");
    }

    [Fact]
    public void Decode_Garbage_IsRefused()
    {
        var random = new Random(5);
        using var decoder = new AomKeyframeDecoder(Size);
        for (var round = 0; round < 2000; round++)
        {
            var bytes = new byte[random.Next(0, 200)];
            random.NextBytes(bytes);
            Assert.Throws<CodecException>(() => decoder.Decode(bytes));
        }
    }

    [Fact]
    public void Decode_CutShort_IsRefused()
    {
        var packets = Record(2);
        for (var length = 0; length < packets[0].Length; length += 7)
        {
            using var decoder = new AomKeyframeDecoder(Size);
            Assert.Throws<CodecException>(() => decoder.Decode(packets[0].AsSpan(0, length)));
        }
    }

    [Fact]
    public void Decode_PredictedFirst_AsksForIntra()
    {
        var packets = Record(2);
        using var decoder = new AomKeyframeDecoder(Size);
        var e = Assert.Throws<CodecException>(() => decoder.Decode(packets[1]));
        Assert.Contains("intra", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Decode_AfterDamage_WaitsForIntra()
    {
        var packets = Record(3);
        using var decoder = new AomKeyframeDecoder(Size);
        decoder.Decode(packets[0]).Dispose();
        Assert.Throws<CodecException>(() => decoder.Decode([0xff, 0xff]));
        Assert.Throws<CodecException>(() => decoder.Decode(packets[1]));
        decoder.Decode(packets[0]).Dispose();
        decoder.Decode(packets[1]).Dispose();
    }

    [Fact]
    public void Decode_FarLargerThanAnnounced_IsRefused()
    {
        var large = new PixelSize(480, 270);
        using var encoder = new AomKeyframeEncoder(large);
        var packet = encoder.Encode(Pictures.Scene(large, 0), new(60, CodedScale.Full, false)).ToArray();
        using var decoder = new AomKeyframeDecoder(new(120, 68));
        var e = Assert.Throws<CodecException>(() => decoder.Decode(packet));
        Assert.Contains("480x270, announced was 120x68", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("yuv420p10le")]
    [InlineData("yuv444p")]
    public void Decode_OtherFormats_AreRefused(string format)
    {
        var raw = new byte[Size.Width * Size.Height * 3];
        var stream = Pictures.Ffmpeg($"-f rawvideo -pix_fmt rgb24 -s {Size} -i - -pix_fmt {format} -frames:v 1 -c:v libaom-av1 -cpu-used 8 -f obu -", raw);
        using var decoder = new AomKeyframeDecoder(Size);
        var e = Assert.Throws<CodecException>(() => decoder.Decode(stream));
        Assert.Contains("8 bit 4:2:0", e.Message, StringComparison.Ordinal);
    }

    private static List<byte[]> Record(int count)
    {
        using var encoder = new AomKeyframeEncoder(Size);
        return [.. Enumerable.Range(0, count).Select(n => encoder.Encode(Pictures.Scene(Size, n), new(35, n % 4 == 3 ? CodedScale.Half : CodedScale.Full, false)).ToArray())];
    }

    private static byte[] Mutate(byte[] packet, Random random)
    {
        var bytes = packet.ToArray();
        switch (random.Next(5))
        {
            case 0:
                break;
            case 1:
                return bytes[..random.Next(bytes.Length)];
            case 2:
                for (var i = random.Next(1, 20); i > 0; i--)
                    bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
                break;
            case 3:
                // The headers are where it hurts most.
                bytes[random.Next(Math.Min(24, bytes.Length))] ^= (byte)(1 << random.Next(8));
                break;
            default:
                bytes[random.Next(bytes.Length)] ^= (byte)(1 << random.Next(8));
                break;
        }

        return bytes;
    }
}
