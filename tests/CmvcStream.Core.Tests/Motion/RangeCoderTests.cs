using CmvcStream.Core.Motion;
using Xunit;

namespace CmvcStream.Core.Tests.Motion;

public sealed class RangeCoderTests
{
    [Theory]
    [InlineData(0.5)]
    [InlineData(0.02)]
    [InlineData(0.999)]
    public void Decode_WhatWasEncoded_ReturnsIt(double ones)
    {
        for (var seed = 0; seed < 200; seed++)
        {
            var random = new Random(seed);
            var bits = Enumerable.Range(0, random.Next(1, 900)).Select(_ => random.NextDouble() < ones ? 1 : 0).ToArray();
            var data = Encode(bits);

            var decoder = new RangeDecoder(data);
            var models = new AdaptiveBit[3];
            for (var k = 0; k < bits.Length; k++)
                Assert.Equal(bits[k], k % 4 == 3 ? decoder.DecodeEven() : decoder.Decode(ref models[k % 4]));
        }
    }

    [Fact]
    public void Encode_LikelyBits_TakesFarLessThanABitEach()
    {
        var buffer = new byte[1000];
        var encoder = new RangeEncoder(buffer);
        var model = new AdaptiveBit();
        for (var k = 0; k < 1000; k++)
            encoder.Encode(ref model, k % 50 == 0 ? 1 : 0);

        Assert.InRange(encoder.Finish(), 1, 30);
    }

    [Fact]
    public void Finish_ZerosOnly_TakesNoByte()
    {
        var encoder = new RangeEncoder(new byte[10]);
        var model = new AdaptiveBit();
        for (var k = 0; k < 5; k++)
            encoder.Encode(ref model, 0);

        Assert.Equal(0, encoder.Finish());
    }

    [Fact]
    public void Encode_BufferFull_IsMarked()
    {
        var encoder = new RangeEncoder(new byte[2]);
        for (var k = 0; k < 100; k++)
            encoder.EncodeEven(1);
        encoder.Finish();

        Assert.True(encoder.Overflowed);
    }

    [Fact]
    public void Decode_NoData_GivesZeros()
    {
        var decoder = new RangeDecoder([]);
        var model = new AdaptiveBit();
        for (var k = 0; k < 10_000; k++)
            Assert.Equal(0, decoder.Decode(ref model));
    }

    private static byte[] Encode(int[] bits)
    {
        var buffer = new byte[400];
        var encoder = new RangeEncoder(buffer);
        var models = new AdaptiveBit[3];
        for (var k = 0; k < bits.Length; k++)
        {
            if (k % 4 == 3)
                encoder.EncodeEven(bits[k]);
            else
                encoder.Encode(ref models[k % 4], bits[k]);
        }

        var length = encoder.Finish();
        Assert.False(encoder.Overflowed);
        return buffer[..length];
    }
}
