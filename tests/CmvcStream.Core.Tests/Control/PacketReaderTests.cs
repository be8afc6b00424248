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
    public void Read_FragmentOfAnotherKeyframeInBetween_GivesAReasonAndTheNextWholeOneIsTaken()
    {
        Assert.Null(Read(new() { Index = 1, Data = Bytes(10), Total = 20 }));

        Assert.NotNull(Read(new() { Index = 2, Data = Bytes(10), Offset = 10, Total = 20 }));
        Assert.NotNull(Read(new() { Index = 1, Data = Bytes(10), Offset = 10, Total = 20 }));
        Assert.Null(Read(new() { Index = 3, Data = Bytes(9) }));
        Assert.Equal(3u, Assert.Single(_received).Index);
    }

    [Fact]
    public void Read_KeyframeBeginsWhileAnotherIsNotComplete_TakesItsPlace()
    {
        Assert.Null(Read(new() { Index = 7, Data = Bytes(10), Total = 30 }));
        // A fragment of 7 is lost here.
        Assert.Null(Read(new() { Index = 8, Base = 5, Check = 9, Data = Bytes(10), Total = 20 }));
        Assert.NotNull(Read(new() { Index = 7, Data = Bytes(10), Offset = 20, Total = 30 }));
        Assert.Null(Read(new() { Index = 8, Base = 5, Check = 9, Data = Bytes(10), Total = 20 }));
        Assert.Null(Read(new() { Index = 8, Data = Bytes(10), Offset = 10, Total = 20 }));

        var keyframe = Assert.Single(_received);
        Assert.Equal((8u, 5u, 9u, 20), (keyframe.Index, keyframe.Base, keyframe.Check, keyframe.Data.Length));
    }

    [Theory]
    [InlineData(0u)]
    [InlineData(20u)]
    public void Read_LateFragmentOfOneThatWasGivenUp_IsNoFault(uint total)
    {
        Read(new() { Index = 7, Data = Bytes(10), Total = 30 });
        Assert.Null(Read(new() { Index = 8, Data = Bytes(20), Total = total }));

        Assert.Null(Read(new() { Index = 7, Data = Bytes(10), Offset = 10, Total = 30 }));
        Assert.Null(Read(new() { Index = 9, Data = Bytes(9) }));
        Assert.Equal([8u, 9], _received.Select(k => k.Index));
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
