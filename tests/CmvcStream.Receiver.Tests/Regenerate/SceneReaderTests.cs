using CmvcStream.Codecs.Av1;
using CmvcStream.Core.Codec;
using CmvcStream.Core.Media;
using CmvcStream.Protos;
using CmvcStream.Receiver.Regenerate;
using Google.Protobuf;

namespace CmvcStream.Receiver.Tests.Regenerate;

public sealed class SceneReaderTests : IDisposable
{
    private static readonly PixelSize Size = new(96, 64);
    private static readonly FrameRate Rate = FrameRate.PerSecond(15);
    private static readonly MediaTime Far = MediaTime.FromSeconds(1000);

    private readonly SceneState _scene = new();
    private readonly List<KeyframeArrival> _arrived = [];
    private readonly List<string> _faults = [];
    private readonly SceneReader _reader;
    private readonly AomKeyframeEncoder _encoder = new(Size);
    private readonly AomKeyframeDecoder _decoder = new(Size);

    public SceneReaderTests() => _reader = new(_scene, Size, Rate, _arrived.Add, _faults.Add);

    [Fact]
    public void Read_Chain_IsInTheSceneAtItsTimes()
    {
        for (var index = 1u; index <= 4; index++)
            _reader.Read(new() { Sequence = index, Keyframe = { Code(index) } }, Far);

        Assert.Empty(_faults);
        Assert.Equal([1u, 2, 3, 4], _arrived.Select(k => (uint)(k.Pts.Seconds * 15 / 10 + 0.5)));
        Assert.Equal(4u, _reader.LastDecoded);
        Assert.False(_reader.Broken);
    }

    [Fact]
    public void Read_AnyOneBitOfAKeyframeFlipped_ShowsTheRightPictureAtTheRightTimeOrNone()
    {
        var (first, second) = (Code(1), Code(2));
        var right = Decode(first, second);
        var bytes = second.ToByteArray();
        int refused = 0, shown = 0;
        for (var bit = 0; bit < bytes.Length * 8; bit++)
        {
            bytes[bit / 8] ^= (byte)(1 << bit % 8);
            if (TryParse(bytes) is { } damaged)
            {
                using var scene = new SceneState();
                using var reader = new SceneReader(scene, Size, Rate, _ => { }, _ => { });
                reader.Read(new() { Sequence = 1, Keyframe = { first } }, Far);
                reader.Read(new() { Sequence = 2, Keyframe = { damaged } }, Far);
                if (scene.Newest == MediaTime.FromTicks(first.Tick, Rate))
                {
                    // Broken, unless it claims to be a part of a larger one, or to come at the first one's time.
                    refused++;
                }
                else
                {
                    shown++;
                    Assert.Equal((2u, MediaTime.FromTicks(second.Tick, Rate)), (reader.LastDecoded, scene.Newest));
                    Assert.Equal(right, Decode(first, damaged));
                }
            }

            bytes[bit / 8] ^= (byte)(1 << bit % 8);
        }

        Assert.True(refused > 300 && shown > 0, $"{refused} refused, {shown} shown");
    }

    [Fact]
    public void Read_WrongCheck_BreaksTheChainUntilAnIntraKeyframe()
    {
        var keyframes = Enumerable.Range(1, 5).Select(index => Code((uint)index, intra: index is 1 or 4)).ToArray();
        keyframes[1].Check ^= 1;

        var broken = new List<bool>();
        foreach (var keyframe in keyframes)
        {
            _reader.Read(new() { Keyframe = { keyframe } }, Far);
            broken.Add(_reader.Broken);
        }

        Assert.Equal([false, true, true, false, false], broken);
        Assert.Equal(3, _arrived.Count);
        Assert.Contains("keyframe 2: it decodes to another picture", _faults[0]);
        Assert.Contains("keyframe 3: the one before it is missing", _faults[1]);
    }

    [Fact]
    public void Read_NoCheck_IsAccepted()
    {
        var keyframe = Code(1);
        keyframe.ClearCheck();

        _reader.Read(new() { Keyframe = { keyframe } }, Far);

        Assert.Empty(_faults);
        Assert.Single(_arrived);
    }

    [Fact]
    public void Read_EndFarAway_HoldsTheLastPictureTenSeconds()
    {
        _reader.Read(new() { Keyframe = { Code(1) }, Control = new() { End = true, CoveredTick = 1_000_000 } }, Far);

        Assert.Equal(_arrived[0].Pts + MediaTime.FromSeconds(10), _scene.End);
    }

    public void Dispose()
    {
        _reader.Dispose();
        _scene.Dispose();
        _encoder.Dispose();
        _decoder.Dispose();
    }

    /// <summary>The next keyframe of the chain, ten ticks after the one before, with its check.</summary>
    private Keyframe Code(uint index, bool? intra = null)
    {
        using var picture = VideoFrame.Allocate(Size);
        picture.Fill(90);
        for (var y = 0; y < Size.Height; y++)
        {
            for (var x = 0; x < 40; x++)
                picture.Y.Row(y)[x + (int)index * 8 % 48] = (byte)(120 + 50 * Math.Sin(x * 0.5 + index) * Math.Cos(y * 0.3));
        }

        var keyframe = new Keyframe { Index = index, Tick = index * 10, Data = ByteString.CopyFrom(_encoder.Encode(picture, new(30, CodedScale.Full, intra ?? index == 1))) };
        if (intra ?? index == 1)
            keyframe.Base = 0;
        using var decoded = _decoder.Decode(keyframe.Data.Span);
        keyframe.Check = DecodedPicture.Of(decoded).Check(index, keyframe.Tick);
        return keyframe;
    }

    /// <summary>What the second one decodes to after the first; null: nothing.</summary>
    private DecodedPicture? Decode(Keyframe first, Keyframe second)
    {
        try
        {
            _decoder.Decode(first.Data.Span).Dispose();
            using var decoded = _decoder.Decode(second.Data.Span);
            return DecodedPicture.Of(decoded);
        }
        catch (CodecException)
        {
            return null;
        }
    }

    private static Keyframe? TryParse(byte[] bytes)
    {
        try
        {
            return Keyframe.Parser.ParseFrom(bytes);
        }
        catch (InvalidProtocolBufferException)
        {
            return null;
        }
    }
}
