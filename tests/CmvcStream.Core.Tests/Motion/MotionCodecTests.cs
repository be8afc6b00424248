using System.Buffers;
using CmvcStream.Core.Motion;
using Xunit;

namespace CmvcStream.Core.Tests.Motion;

public sealed class MotionCodecTests
{
    [Fact]
    public void Encode_NothingToSay_TakesNoByte()
    {
        Assert.Empty(Encode([new(), new(), new()]));
        Assert.Empty(Encode([]));
    }

    [Fact]
    public void Encode_TimeWarpsAlone_TakesFewBytes()
    {
        var data = Encode([new() { TimeWarp = 3 }, new() { TimeWarp = 5 }, new() { TimeWarp = 5 }, new() { TimeWarp = 2 }]);

        Assert.InRange(data.Length, 1, 5);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(MotionCodec.MaxCount)]
    public void TryDecode_WhatWasEncoded_ReturnsIt(int count)
    {
        for (var seed = 0; seed < 40; seed++)
        {
            var sent = Enumerable.Range(0, count).Select(k => Random(seed * 1000 + k)).ToArray();
            var data = Encode(sent);

            var received = Empty(MotionCodec.MaxCount);
            Assert.True(MotionCodec.TryDecode(data, received, out var n, out var error), error);
            Assert.Equal(data.Length == 0 ? 0 : count, n);
            for (var k = 0; k < count; k++)
                AssertSame(sent[k], received[k]);
        }
    }

    [Fact]
    public void TryDecode_LargestValues_ReturnsThem()
    {
        var sent = Empty(MotionCodec.MaxCount);
        foreach (var (k, c) in sent.Index())
        {
            c.TimeWarp = k % 2 == 0 ? MotionCorrection.MaxTimeWarp : -MotionCorrection.MaxTimeWarp;
            for (var n = 0; n < c.Dx.Length; n++)
                c.Dx[n] = c.Dy[n] = (k + n) % 2 == 0 ? MotionCorrection.MaxDisplacement : -MotionCorrection.MaxDisplacement;
        }

        var data = Encode(sent);
        var received = Empty(MotionCodec.MaxCount);

        Assert.True(MotionCodec.TryDecode(data, received, out _, out var error), error);
        for (var k = 0; k < sent.Length; k++)
            AssertSame(sent[k], received[k]);
    }

    [Fact]
    public void Encode_KnownCorrections_GivesTheBytesOfTheWireFormat()
    {
        var c = new MotionCorrection { TimeWarp = -4 };
        c.Dx[0] = 2;
        c.Dx[9] = -7;
        c.Dy[39] = 30;

        Assert.Equal(KnownBytes, Convert.ToHexString(Encode([c, new() { TimeWarp = 1 }])));
    }

    /// <summary>Changing this changes the wire format.</summary>
    private const string KnownBytes = "BED009CF7AD107B348A777";

    [Fact]
    public void TryDecode_AnyBytes_EndsWithResultOrError()
    {
        var random = new Random(99);
        var received = Empty(8);
        int good = 0, bad = 0;
        for (var run = 0; run < 20_000; run++)
        {
            var data = new byte[random.Next(0, 80)];
            random.NextBytes(data);
            if (run % 3 == 0)
                data.AsSpan().Fill((byte)run);
            var ok = MotionCodec.TryDecode(data, received, out var n, out var error);
            Assert.Equal(ok, error == null);
            Assert.InRange(n, 0, ok ? 8 : 0);
            if (ok)
                Assert.All(received.Take(n), c => Assert.InRange(c.TimeWarp, -MotionCorrection.MaxTimeWarp, MotionCorrection.MaxTimeWarp));
            (good, bad) = (good + (ok ? 1 : 0), bad + (ok ? 0 : 1));
        }

        Assert.True(good > 1000 && bad > 20, $"{good} decoded, {bad} refused: both ways must be tried");
    }

    [Fact]
    public void TryDecode_MoreThanExpected_SaysSo()
    {
        var data = Encode([new() { TimeWarp = 1 }, new() { TimeWarp = 2 }, new() { TimeWarp = 3 }]);

        Assert.False(MotionCodec.TryDecode(data, Empty(2), out var count, out var error));
        Assert.Equal(0, count);
        Assert.Contains("3 corrections", error, StringComparison.Ordinal);
    }

    [Fact]
    public void TryDecode_TooLong_IsRefusedUnread()
    {
        Assert.False(MotionCodec.TryDecode(new byte[MotionCodec.MaxBytes + 1], Empty(2), out _, out var error));
        Assert.Contains("longer than", error, StringComparison.Ordinal);
    }

    [Fact]
    public void Encode_ValueOutOfRange_IsRefused() =>
        Assert.Throws<ArgumentException>(() => Encode([new() { TimeWarp = MotionCorrection.MaxTimeWarp + 1 }]));

    [Fact]
    public void Encode_SmoothGrids_TakesHalfOfIndependentOnes()
    {
        MotionCorrection[] smooth = Empty(4), rough = Empty(4);
        var random = new Random(3);
        for (var k = 0; k < 4; k++)
            for (var n = 0; n < smooth[k].Dx.Length; n++)
            {
                smooth[k].Dx[n] = 4 + n % MotionCorrection.Columns / 3;
                rough[k].Dx[n] = random.Next(0, 9);
            }

        Assert.InRange(Encode(smooth).Length, 1, Encode(rough).Length / 2);
    }

    [Fact]
    public void Sample_BetweenCorrections_IsLinear()
    {
        MotionCorrection a = new() { TimeWarp = 8 }, b = new() { TimeWarp = 4 }, result = new();
        a.Dx[5] = 12;

        MotionCorrection.Sample([a, b], 0.5f, result);

        Assert.Equal(6, result.TimeWarp);
        Assert.Equal(6, result.Dx[5]);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void Sample_AtKeyframes_IsZero(float t)
    {
        var result = new MotionCorrection();

        MotionCorrection.Sample([new() { TimeWarp = 8 }], t, result);

        Assert.True(result.IsZero);
    }

    internal static byte[] Encode(MotionCorrection[] corrections)
    {
        var output = new ArrayBufferWriter<byte>();
        Assert.Equal(MotionCodec.Encode(corrections, output), output.WrittenCount);
        return output.WrittenSpan.ToArray();
    }

    private static MotionCorrection[] Empty(int count) => [.. Enumerable.Range(0, count).Select(_ => new MotionCorrection())];

    private static MotionCorrection Random(int seed)
    {
        var random = new Random(seed);
        var c = new MotionCorrection { TimeWarp = random.Next(3) == 0 ? 0 : random.Next(-9, 10) };
        var spread = random.Next(4) switch { 0 => 0, 1 => 2, 2 => 10, _ => MotionCorrection.MaxDisplacement };
        for (var n = 0; n < c.Dx.Length; n++)
        {
            c.Dx[n] = random.Next(-spread, spread + 1);
            c.Dy[n] = random.Next(2) * random.Next(-spread, spread + 1);
        }

        return c;
    }

    private static void AssertSame(MotionCorrection a, MotionCorrection b)
    {
        Assert.Equal(a.TimeWarp, b.TimeWarp);
        Assert.Equal(a.Dx, b.Dx);
        Assert.Equal(a.Dy, b.Dy);
    }
}
