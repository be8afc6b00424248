using System.Buffers;
using CmvcStream.Codecs.Av1;
using CmvcStream.Codecs.Jpeg;
using CmvcStream.Core.Codec;
using CmvcStream.Core.Media;

namespace CmvcStream.Codecs.Tests.Av1;

public sealed class SteadyStateTests
{
    private static readonly PixelSize Size = new(240, 136);

    [Fact]
    public void EncodeAndDecode_WarmedUp_AllocateNothing()
    {
        using var encoder = new AomKeyframeEncoder(Size, new() { Speed = 6 });
        using var decoder = new AomKeyframeDecoder(Size);
        var pictures = Enumerable.Range(0, 6).Select(n => Pictures.Scene(Size, n)).ToArray();
        Run();
        Run();
        var before = GC.GetAllocatedBytesForCurrentThread();
        Run();
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        void Run()
        {
            for (var n = 0; n < pictures.Length; n++)
                decoder.Decode(encoder.Encode(pictures[n], new(50, n % 2 == 0 ? CodedScale.Full : CodedScale.Half, n == 3))).Dispose();
        }
    }

    [Fact]
    public void JpegEncode_WarmedUp_AllocatesNothing()
    {
        using var jpeg = new JpegEncoder();
        var picture = Pictures.Scene(Size, 0);
        var output = new ArrayBufferWriter<byte>(1 << 20);
        jpeg.Encode(picture, 80, output);
        output.ResetWrittenCount();
        jpeg.Encode(picture, 80, output);
        output.ResetWrittenCount();
        var before = GC.GetAllocatedBytesForCurrentThread();
        jpeg.Encode(picture, 80, output);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }
}
