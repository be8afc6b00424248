using System.Globalization;
using Grpc.Core;
using Grpc.Core.Internal;
using Xunit;

namespace CmvcStream.Grpc.Tests;

public sealed class HeaderCodecTests
{
    [Theory]
    [InlineData("00:00:00.0000001", "1m")]
    [InlineData("00:00:00.2", "200m")]
    [InlineData("1.03:46:39.999", "99999999m")]
    [InlineData("1.03:46:40", "100000S")]
    [InlineData("2000.00:00:00", "2880000M")] // 172800000S has nine digits
    public void TimeoutEncode_Span_IsRoundedUpToTheFinestUnitThatHoldsIt(string timeout, string expected)
    {
        Assert.Equal(expected, GrpcTimeout.Encode(TimeSpan.Parse(timeout, CultureInfo.InvariantCulture)));
    }

    [Theory]
    [InlineData("1H", 36_000_000_000)]
    [InlineData("2M", 1_200_000_000)]
    [InlineData("3S", 30_000_000)]
    [InlineData("4m", 40_000)]
    [InlineData("5u", 50)]
    [InlineData("99999999n", 1_000_000)]
    public void TimeoutTryDecode_EachUnit_IsRead(string text, long ticks)
    {
        Assert.True(GrpcTimeout.TryDecode(text, out var timeout));
        Assert.Equal(ticks, timeout.Ticks);
    }

    [Theory]
    [InlineData("")]
    [InlineData("S")]
    [InlineData("1")]
    [InlineData("1h")]
    [InlineData("+1S")]
    [InlineData(" 1S")]
    [InlineData("123456789S")]
    public void TimeoutTryDecode_Malformed_IsRefused(string text) => Assert.False(GrpcTimeout.TryDecode(text, out _));

    [Fact]
    public void TimeoutTryDecode_Largest_DoesNotOverflow()
    {
        Assert.True(GrpcTimeout.TryDecode("99999999H", out var timeout));
        Assert.Equal(99_999_999, timeout.TotalHours);
    }

    [Theory]
    [InlineData("plain text", "plain text")]
    [InlineData("100 %", "100 %25")]
    [InlineData("ü\n", "%C3%BC%0A")]
    [InlineData("🎥", "%F0%9F%8E%A5")]
    public void StatusMessage_EncodeAndDecode_AreInverse(string message, string encoded)
    {
        Assert.Equal(encoded, StatusMessage.Encode(message));
        Assert.Equal(message, StatusMessage.Decode(encoded));
    }

    [Theory]
    [InlineData("%", "%")]
    [InlineData("%4", "%4")]
    [InlineData("a%zzb", "a%zzb")]
    [InlineData("%C3", "\uFFFD")]
    public void StatusMessageDecode_Malformed_KeepsWhatItCan(string encoded, string expected) =>
        Assert.Equal(expected, StatusMessage.Decode(encoded));

    [Fact]
    public void StatusMessageDecode_RandomText_NeverThrows()
    {
        var random = new Random(40);
        for (var i = 0; i < 5000; i++)
            StatusMessage.Decode(string.Concat(Enumerable.Range(0, random.Next(20)).Select(_ => "%%%0aF9z\u00e9"[random.Next(9)])));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(64)]
    public void BinaryMetadata_AnyLength_RoundTripsUnpadded(int length)
    {
        var bytes = Enumerable.Range(0, length).Select(i => (byte)(i * 37)).ToArray();

        var value = MetadataCodec.ToHeaderValue(new Metadata.Entry("x-bin", bytes));
        var received = new Metadata();
        MetadataCodec.AddReceived(received, "X-Bin", value);

        Assert.DoesNotContain('=', value);
        Assert.Equal(bytes, received.GetValueBytes("x-bin")!);
    }

    [Theory]
    [InlineData("grpc-status")]
    [InlineData("grpc-timeout")]
    [InlineData("content-type")]
    [InlineData(":path")]
    [InlineData("TE")]
    public void AddReceived_NameOfGrpcOrHttp_IsNoMetadata(string name)
    {
        var received = new Metadata();

        MetadataCodec.AddReceived(received, name, "x");

        Assert.Empty(received);
    }

    [Fact]
    public void AddReceived_StatusDetails_IsMetadata()
    {
        var received = new Metadata();

        MetadataCodec.AddReceived(received, "grpc-status-details-bin", "AQI");

        Assert.Equal([1, 2], received.GetValueBytes("grpc-status-details-bin")!);
    }

    [Theory]
    [InlineData("spa ce")]
    [InlineData("")]
    [InlineData("colon:")]
    [InlineData("ümlaut")]
    public void MetadataEntry_BadKey_IsRefused(string key) => Assert.Throws<ArgumentException>(() => new Metadata.Entry(key, "x"));

    [Fact]
    public void MetadataEntry_KindOfValueAndKeyDisagree_IsRefused()
    {
        Assert.Throws<ArgumentException>(() => new Metadata.Entry("x-bin", "text"));
        Assert.Throws<ArgumentException>(() => new Metadata.Entry("x", [1]));
        Assert.Throws<ArgumentException>(() => new Metadata.Entry("x", "line\r\nbreak: injected"));
    }

    [Fact]
    public void Metadata_Keys_IgnoreCaseAndKeepOrder()
    {
        var metadata = new Metadata { { "Key", "1" }, { "key", "2" } };

        Assert.Equal("2", metadata.GetValue("KEY"));
        Assert.Equal(["1", "2"], metadata.GetAll("key").Select(entry => entry.Value));
        Assert.Throws<InvalidOperationException>(() => Metadata.Empty.Add("a", "b"));
    }
}
