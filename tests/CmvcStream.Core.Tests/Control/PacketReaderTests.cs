using CmvcStream.Core.Control;
using CmvcStream.Protos;
using Google.Protobuf;
using Xunit;

namespace CmvcStream.Core.Tests.Control;

public class PacketReaderTests
{
    private readonly PacketReader _reader = new();
    private readonly List<Keyframe> _received = [];

    [Fact]
    public void Read_IndexThatWasThere_IsRefused()
    {
        Assert.Null(Read(new() { Index = 5, Data = Bytes(9) }));

        Assert.Contains("keyframe 5", Read(new() { Index = 5, Data = Bytes(9) }));
        Assert.Single(_received);
    }

    [Fact]
    public void Read_IntraKeyframeAfterADamagedIndex_IsTaken()
    {
        Read(new() { Index = 0x80000005, Data = Bytes(9) });

        Assert.Null(Read(new() { Index = 6, Base = 0, Data = Bytes(9) }));
        Assert.Null(Read(new() { Index = 7, Data = Bytes(9) }));
        Assert.Equal(3, _received.Count);
    }

    [Fact]
    public void Read_FragmentOfAnotherKeyframeInBetween_GivesAReasonAndTheNextWholeOneIsTaken()
    {
        Assert.Null(Read(new() { Index = 1, Data = Bytes(10), Total = 20 }));

        Assert.NotNull(Read(new() { Index = 2, Data = Bytes(10), Offset = 10, Total = 20 }));
        Assert.NotNull(Read(new() { Index = 1, Data = Bytes(10), Offset = 10, Total = 20 }));
        Assert.Null(Read(new() { Index = 3, Data = Bytes(9) }));
        Assert.Equal(3u, Assert.Single(_received).Index);
    }

    [Theory]
    [InlineData(15u, 10, 20u)]
    [InlineData(0u, 0, 20u)]
    [InlineData(uint.MaxValue, 10, 20u)]
    public void Read_FragmentThatDoesNotFit_GivesAReason(uint offset, int length, uint total) =>
        Assert.NotNull(Read(new() { Index = 1, Data = Bytes(length), Offset = offset, Total = total }));

    [Fact]
    public void Count_Message_SharesAllItsBytesOut()
    {
        var message = new SenderMessage
        {
            Sequence = 300,
            Keyframe = { new Keyframe { Index = 1, Data = Bytes(200) } },
            Motion = { new GapMotion { Keyframe = 1, Data = Bytes(30) } },
            Text = { new SceneText { Look = "bright" } },
        };
        _reader.Read(message, _received);

        Assert.Equal(message.CalculateSize(), _reader.Payload.Total);
        Assert.InRange(_reader.Payload.Keyframe, 204, 210);
        Assert.InRange(_reader.Payload.Control, 1, 4);
    }

    private string? Read(Keyframe keyframe) => _reader.Read(new() { Keyframe = { keyframe } }, _received);

    private static ByteString Bytes(int count) => ByteString.CopyFrom(new byte[count]);
}
