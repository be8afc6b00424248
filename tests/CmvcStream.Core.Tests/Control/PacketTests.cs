using CmvcStream.Core.Control;
using CmvcStream.Core.Media;
using CmvcStream.Protos;
using Google.Protobuf;
using Xunit;

namespace CmvcStream.Core.Tests.Control;

public class PacketTests
{
    private static readonly WireOverhead Overhead = WireOverhead.GrpcClear;

    [Theory]
    [InlineData(2000, 7)]
    [InlineData(2000, 8)]
    [InlineData(2000, 9)]
    [InlineData(4000, 7)]
    [InlineData(8000, 7)]
    [InlineData(8000, 8)]
    [InlineData(16000, 7)]
    [InlineData(50000, 7)]
    public void PacedStream_AnyWindow_HoldsTheRate(long bitsPerSecond, int seed)
    {
        var sent = Stream(bitsPerSecond, seconds: 120, seed).Sent;

        for (var i = 0; i < sent.Count; i++)
        {
            var bytes = 0;
            for (var j = i + 1; j < sent.Count; j++)
            {
                bytes += sent[j].Wire;
                var seconds = (sent[j].At - sent[i].At).Seconds;
                if (seconds >= 5 && j - i >= 8)
                    Assert.True(bytes * 8 / seconds <= bitsPerSecond * 1.001, $"{bytes * 8 / seconds:0} bit/s over {seconds:0.0} s");
            }
        }
    }

    [Theory]
    [InlineData(2000)]
    [InlineData(8000)]
    [InlineData(50000)]
    public void PacedStream_FragmentedKeyframes_ArriveByteExact(long bitsPerSecond)
    {
        var (sent, keyframes) = Stream(bitsPerSecond, seconds: 60, seed: 3);
        var reader = new PacketReader();
        var received = new List<Keyframe>();

        foreach (var (_, _, message) in sent)
            Assert.Null(reader.Read(SenderMessage.Parser.ParseFrom(message.ToByteArray()), received));

        Assert.NotEmpty(received);
        for (var i = 0; i < received.Count; i++)
        {
            Assert.Equal(keyframes[i].Data, received[i].Data);
            Assert.Equal((keyframes[i].Index, keyframes[i].Tick, keyframes[i].Reason, keyframes[i].Check), (received[i].Index, received[i].Tick, received[i].Reason, received[i].Check));
        }
    }

    [Fact]
    public void DueAt_AKeyframe_LeavesAsSoonAsTheBudgetAllows()
    {
        var assembler = new PacketAssembler(Overhead, new(new Bitrate(8000)));
        var now = MediaTime.FromSeconds(100);
        assembler.Add(new Keyframe { Index = 1, Data = ByteString.CopyFrom(new byte[500]) }, null, now);

        Assert.Equal(now, assembler.DueAt(now));
    }

    [Fact]
    public void DueAt_ATextAlone_WaitsForCompany()
    {
        var assembler = new PacketAssembler(Overhead, new(new Bitrate(8000)));
        var now = MediaTime.FromSeconds(100);
        assembler.Add(new SceneText { Tick = 1, Scene = 1, Motion = "camera still" }, now);

        Assert.Equal(now + assembler.Coalesce, assembler.DueAt(now));
    }

    [Fact]
    public void Available_AfterSilence_IsOnePacketAndNoMore()
    {
        var budget = new WireBudget(new(8000));
        var assembler = new PacketAssembler(Overhead, budget);

        Assert.InRange(assembler.Available(MediaTime.FromSeconds(100), MediaTime.Zero), budget.LargestPacket, budget.LargestPacket * 1.2);
        assembler.Add(new Keyframe { Index = 1, Data = ByteString.CopyFrom(new byte[5000]) }, null, MediaTime.FromSeconds(100));
        Assert.InRange(assembler.Available(MediaTime.FromSeconds(100), MediaTime.Zero), -4400, -3500);
    }

    [Fact]
    public void Take_TwoTextsWaiting_NewestWinsAndKeepsTheLook()
    {
        var assembler = new PacketAssembler(Overhead, new(new Bitrate(8000)));
        assembler.Add(new SceneText { Tick = 1, Scene = 1, Look = "bright; green", Motion = "camera still" }, MediaTime.Zero);
        assembler.Add(new SceneText { Tick = 30, Scene = 1, Motion = "camera pans left" }, MediaTime.FromSeconds(1));

        var text = Assert.Single(assembler.Take(MediaTime.FromSeconds(2)).Text);

        Assert.Equal(("bright; green", "camera pans left", 30u), (text.Look, text.Motion, text.Tick));
    }

    [Fact]
    public void Take_EndWithKeyframesWaiting_EndLeavesLast()
    {
        var assembler = new PacketAssembler(Overhead, new(new Bitrate(8000)));
        assembler.Add(new Keyframe { Index = 1, Data = ByteString.CopyFrom(new byte[3000]) }, null, MediaTime.Zero);
        assembler.Add(new StreamControl { End = true, CoveredTick = 9 }, MediaTime.Zero);
        var ends = new List<bool>();

        for (var now = MediaTime.Zero; assembler.DueAt(now) is not null; now += MediaTime.FromSeconds(10))
            ends.Add(assembler.Take(now).Control?.End ?? false);

        Assert.True(ends.Count > 2);
        Assert.True(ends[^1]);
        Assert.DoesNotContain(true, ends[..^1]);
    }

    [Fact]
    public void Read_FragmentWithoutItsBeginning_GivesAReason()
    {
        var message = new SenderMessage { Keyframe = { new Keyframe { Index = 2, Offset = 100, Total = 200, Data = ByteString.CopyFrom(new byte[100]) } } };

        var error = new PacketReader().Read(message, []);

        Assert.Contains("keyframe 2", error);
    }

    [Fact]
    public void Read_AbsurdTotal_IsRefused()
    {
        var message = new SenderMessage { Keyframe = { new Keyframe { Index = 1, Total = uint.MaxValue, Data = ByteString.CopyFrom(new byte[10]) } } };

        Assert.Contains("at most", new PacketReader().Read(message, []));
    }

    [Fact]
    public void Read_FuzzedMessages_NeverThrows()
    {
        var random = new Random(11);
        var reader = new PacketReader();
        var received = new List<Keyframe>();
        for (var i = 0; i < 5000; i++)
        {
            var data = new byte[random.Next(40)];
            random.NextBytes(data);
            var keyframe = new Keyframe
            {
                Index = (uint)random.Next(50),
                Offset = (uint)random.Next(80),
                Total = random.Next(4) == 0 ? uint.MaxValue - (uint)random.Next(9) : (uint)random.Next(120),
                Data = ByteString.CopyFrom(data),
            };
            reader.Read(new SenderMessage { Keyframe = { keyframe } }, received);
        }

        Assert.All(received, k => Assert.InRange(k.Data.Length, 1, 120));
    }

    /// <summary>Random keyframes and texts through assembler and budget in virtual time, at about the rate that the plan allows.</summary>
    private static (List<(MediaTime At, int Wire, SenderMessage Message)> Sent, List<Keyframe> Keyframes) Stream(long bitsPerSecond, int seconds, int seed)
    {
        var random = new Random(seed);
        var budget = new WireBudget(new(bitsPerSecond));
        var assembler = new PacketAssembler(Overhead, budget);
        var sent = new List<(MediaTime, int, SenderMessage)>();
        var keyframes = new List<Keyframe>();
        var next = MediaTime.Zero;
        for (var now = MediaTime.Zero; now < MediaTime.FromSeconds(seconds); now += MediaTime.FromMilliseconds(10))
        {
            if (now >= next && assembler.Available(now, MediaTime.FromSeconds(2)) > 0)
            {
                var data = new byte[random.Next(20, (int)(bitsPerSecond / 4))];
                random.NextBytes(data);
                var keyframe = new Keyframe
                {
                    Index = (uint)keyframes.Count + 1,
                    Tick = (uint)(now.Seconds * 15),
                    Data = ByteString.CopyFrom(data),
                    Reason = KeyframeReason.Change,
                    Check = (uint)random.Next(1 << 14),
                };
                keyframes.Add(keyframe.Clone());
                assembler.Add(keyframe, random.Next(2) == 0 ? new() { Keyframe = keyframe.Index, Data = ByteString.CopyFrom(new byte[9]) } : null, now);
                next = now + MediaTime.FromMilliseconds(random.Next(100, 900));
            }

            while (assembler.DueAt(now) is { } due && due <= now)
            {
                var message = assembler.Take(now);
                var wire = Overhead.WireBytes(message.CalculateSize());
                budget.Charge(now, wire);
                sent.Add((now, wire, message));
            }
        }

        return (sent, keyframes);
    }
}
