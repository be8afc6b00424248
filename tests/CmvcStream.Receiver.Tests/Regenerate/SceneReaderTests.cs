using CmvcStream.Codecs.Av1;
using CmvcStream.Core.Codec;
using CmvcStream.Core.Media;
using CmvcStream.Inference;
using CmvcStream.Protos;
using CmvcStream.Receiver.Networks;
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
    public void Read_SamePacketsAndNetwork_GiveTheSamePicturesOnEveryRun()
    {
        var keyframes = Enumerable.Range(1, 4).Select(index => Code((uint)index)).ToArray();

        var runs = Enumerable.Range(0, 2).Select(_ =>
        {
            using var networks = new RegenerationNetworks(new() { Network = "restore-medium", Provider = ExecutionProvider.Cpu }, _faults.Add);
            using var scene = new SceneState();
            using var reader = new SceneReader(scene, Size, Rate, _ => { }, _faults.Add, restorer: () => networks.Restorer(Size));
            using var regenerator = new ImageTextRegenerator(scene, Size, lowLatency: false, () => networks.Refiner(Size, Rate));
            foreach (var keyframe in keyframes)
                reader.Read(new() { Keyframe = { keyframe } }, Far);
            return Enumerable.Range(10, 31).Select(tick =>
            {
                var (frame, provenance) = regenerator.Regenerate(MediaTime.FromTicks(tick, Rate));
                using (frame)
                    return (provenance, Convert.ToHexString(frame.Y.Buffer));
            }).ToArray();
        }).ToArray();

        Assert.Empty(_faults);
        Assert.Equal(runs[0], runs[1]);
        Assert.Equal(4, runs[0].Count(f => f.provenance == Provenance.Restored));
        Assert.Equal(27, runs[0].Count(f => f.provenance == Provenance.Interpolated));
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
    public void Read_PredictedFromAKeyframeThatIsHere_MendsALoss()
    {
        Read(1, 2, 3);
        Code(4);
        var unusable = Code(5);
        _encoder.Acknowledge(3);
        var mended = Code(6, mend: true);
        _reader.Read(new() { Keyframe = { unusable } }, Far);
        Assert.True(_reader.Broken);

        _reader.Read(new() { Keyframe = { mended } }, Far);

        Assert.Equal((false, false, 6u, 3u), (_reader.Broken, _reader.NeedsIntra, _reader.LastDecoded, mended.Base));
        Read(7, 8);
        Assert.Contains("keyframe 5: the one before it is missing", Assert.Single(_faults));
        Assert.Equal(6, _arrived.Count);
    }

    [Fact]
    public void Read_PredictedFromAKeyframeThatWasNotHere_IsRefusedAndAnotherStillMends()
    {
        Read(1, 2, 3);
        Code(4);
        Code(5);
        _encoder.Acknowledge(5);    // never said
        Code(6);
        var unusable = Code(7, mend: true);
        _reader.Read(new() { Keyframe = { unusable } }, Far);
        Assert.Equal((true, false, 3u), (_reader.Broken, _reader.NeedsIntra, _reader.LastDecoded));
        Assert.Contains("keyframe 7: keyframe 5, which it is predicted from, is missing", Assert.Single(_faults));

        // Nor is one that the decoder no longer keeps.
        unusable.Base = 2;
        unusable.Index = 8;
        _reader.Read(new() { Keyframe = { unusable } }, Far);
        Assert.Contains("keyframe 2, which it is predicted from, is missing", _faults[1]);

        _reader.Read(new() { Keyframe = { Code(9, intra: true) } }, Far);
        Assert.False(_reader.Broken);
    }

    [Fact]
    public void Read_AfterAWrongCheck_OnlyAnIntraKeyframeMends()
    {
        Read(1, 2, 3);
        var wrong = Code(4);
        wrong.Check ^= 1;
        _encoder.Acknowledge(3);
        _reader.Read(new() { Keyframe = { wrong } }, Far);
        Assert.True(_reader.NeedsIntra);

        _reader.Read(new() { Keyframe = { Code(5, mend: true) } }, Far);
        Assert.Equal((true, true), (_reader.Broken, _reader.NeedsIntra));
        Assert.Contains("keyframe 5: an intra keyframe is needed first", _faults[1]);

        _reader.Read(new() { Keyframe = { Code(6, intra: true) } }, Far);
        Assert.Equal((false, false), (_reader.Broken, _reader.NeedsIntra));
    }

    [Fact]
    public void Read_SameKeyframeAgain_IsToldAndChangesNothing()
    {
        var second = Read(1, 2);

        _reader.Read(new() { Keyframe = { second } }, Far);

        Assert.Equal("keyframe 2 comes after 2", Assert.Single(_faults));
        Assert.False(_reader.Broken);
        Read(3);
    }

    [Fact]
    public void Read_DamagedIndex_DoesNotKeepTheKeyframeThatMendsOut()
    {
        Read(1, 2, 3);
        var damaged = Code(4);
        damaged.Index = 0x80000004;
        _encoder.Acknowledge(3);
        _reader.Read(new() { Keyframe = { damaged } }, Far);
        Assert.Equal((true, false), (_reader.Broken, _reader.NeedsIntra));

        _reader.Read(new() { Keyframe = { Code(5, mend: true) } }, Far);

        Assert.Equal((false, 5u), (_reader.Broken, _reader.LastDecoded));
    }

    [Fact]
    public void Read_FirstKeyframeIsPredicted_AsksForAnIntraOne()
    {
        Code(1);
        _reader.Read(new() { Keyframe = { Code(2) } }, Far);

        Assert.Equal((true, true), (_reader.Broken, _reader.NeedsIntra));
    }

    /// <summary>Fragments are lost, acknowledgements come two to six keyframes late: whatever is taken has the right check, and all is mended.</summary>
    [Theory]
    [InlineData(1, 0.05)]
    [InlineData(2, 0.3)]
    [InlineData(3, 0.3)]
    public void Read_FragmentsLost_IsMendedWithoutIntraKeyframes(int seed, double loss)
    {
        var random = new Random(seed);
        var reports = new Queue<(uint At, uint Decoded, bool Broken)>();
        var (lose, mended) = (false, 0);
        Read(1);
        for (var index = 2u; index < 120; index++)
        {
            while (reports.TryPeek(out var report) && report.At <= index)
            {
                _encoder.Acknowledge(reports.Dequeue().Decoded);
                lose |= report.Broken;
            }

            var keyframe = Code(index, mend: lose);
            var (mend, began, whole) = (lose, _arrived.Count, true);
            lose = false;
            foreach (var part in Fragments(keyframe))
            {
                if (random.NextDouble() < loss / 2)
                    whole = false;
                else
                    _reader.Read(new() { Keyframe = { part } }, Far);
            }

            Assert.False(mend && whole && _arrived.Count == began, $"keyframe {index} mends from {keyframe.Base}: {string.Join("; ", _faults)}");
            mended += mend && whole ? 1 : 0;
            reports.Enqueue((index + (uint)random.Next(2, 7), _reader.LastDecoded, _reader.Broken));
        }

        Assert.All(_faults, fault => Assert.Matches("missing|without the one before", fault));
        Assert.False(_reader.NeedsIntra);
        Assert.True(mended > 1 && _arrived.Count > 20, $"{mended} mended, {_arrived.Count} arrived");
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
        _reader.Read(new() { Keyframe = { Code(1) }, Control = new() { End = true, CoveredTick = 1_000_000 } }, MediaTime.Zero);

        Assert.Equal(_arrived[0].Pts + MediaTime.FromSeconds(10), _scene.End);
    }

    [Fact]
    public void Read_EndLongAfterTheLastPicture_IsBelieved()
    {
        _reader.Read(new() { Keyframe = { Code(1) } }, MediaTime.Zero);

        _reader.Read(new() { Control = new() { End = true, CoveredTick = 15 * 100 } }, MediaTime.FromSeconds(99));

        Assert.Equal(MediaTime.FromSeconds(100), _scene.End);
    }

    public void Dispose()
    {
        _reader.Dispose();
        _scene.Dispose();
        _encoder.Dispose();
        _decoder.Dispose();
    }

    /// <summary>Codes and reads keyframes; gives the last one.</summary>
    private Keyframe Read(params uint[] indices)
    {
        Keyframe? keyframe = null;
        foreach (var index in indices)
        {
            keyframe = Code(index);
            _reader.Read(new() { Keyframe = { keyframe } }, Far);
            Assert.Equal(index, _reader.LastDecoded);
        }

        return keyframe!;
    }

    private static IEnumerable<Keyframe> Fragments(Keyframe whole)
    {
        for (var offset = 0; offset < whole.Data.Length; offset += 100)
        {
            var part = offset == 0 ? whole.Clone() : new() { Index = whole.Index };
            part.Data = ByteString.CopyFrom(whole.Data.Span.Slice(offset, Math.Min(100, whole.Data.Length - offset)));
            (part.Offset, part.Total) = ((uint)offset, (uint)whole.Data.Length);
            yield return part;
        }
    }

    /// <summary>The next keyframe of the chain, ten ticks after the one before, with its check.</summary>
    private Keyframe Code(uint index, bool? intra = null, bool mend = false)
    {
        using var picture = VideoFrame.Allocate(Size);
        picture.Fill(90);
        for (var y = 0; y < Size.Height; y++)
        {
            for (var x = 0; x < 40; x++)
                picture.Y.Row(y)[x + (int)index * 8 % 48] = (byte)(120 + 50 * Math.Sin(x * 0.5 + index) * Math.Cos(y * 0.3));
        }

        var keyframe = new Keyframe { Index = index, Tick = index * 10, Data = ByteString.CopyFrom(_encoder.Encode(picture, new(30, CodedScale.Full, intra ?? index == 1, mend))) };
        if (_encoder.Last.Intra || mend)
            keyframe.Base = (uint)_encoder.Last.Base;
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
