using System.Collections.Concurrent;
using CmvcStream.Codecs.Av1;
using CmvcStream.Core.Codec;
using CmvcStream.Core.Media;
using CmvcStream.Protos;
using CmvcStream.Transport;
using Google.Protobuf;

namespace CmvcStream.Receiver.Tests;

public sealed class SessionHostTests : IAsyncDisposable
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(30);
    private static readonly PixelSize Size = new(64, 64);

    private readonly ConcurrentQueue<string> _reports = new();
    private readonly ReceiverState _state;
    private readonly SessionHost _host;

    public SessionHostTests()
    {
        var options = new ReceiveOptions(new("http://127.0.0.1:0")) { Out = ["null:"] };
        _state = new(options, TimeProvider.System);
        _host = new(options, _state, null, TextWriter.Null, _reports.Enqueue) { HelloPatience = TimeSpan.FromSeconds(1) };
    }

    [Fact]
    public async Task Serve_OtherMajorVersion_IsRefusedNamingBoth()
    {
        var session = new FakeSession().Say(new() { Hello = FakeSession.Hello(major: 9) });

        var error = await Assert.ThrowsAsync<TransportException>(() => _host.ServeAsync(session, CancellationToken.None));

        Assert.Equal(TransportError.Protocol, error.Error);
        Assert.Contains("9.0", error.Message);
        Assert.Contains("2.0", error.Message);
    }

    [Theory]
    [InlineData(0, 15)]
    [InlineData(100_000, 15)]
    [InlineData(64, 0)]
    [InlineData(64, 100_000)]
    public async Task Serve_AbsurdSource_IsRefused(uint side, uint tickRate)
    {
        var session = new FakeSession().Say(new() { Hello = FakeSession.Hello(side: side, tickRate: tickRate) });

        var error = await Assert.ThrowsAsync<TransportException>(() => _host.ServeAsync(session, CancellationToken.None));

        Assert.Contains("out of range", error.Message);
    }

    [Fact]
    public async Task Serve_NoHelloInTheFirstMessage_IsRefused()
    {
        var error = await Assert.ThrowsAsync<TransportException>(() => _host.ServeAsync(new FakeSession().Say(new() { Sequence = 1 }), CancellationToken.None));

        Assert.Contains("hello", error.Message);
    }

    [Fact]
    public async Task Serve_SilentSender_IsLetGo()
    {
        var error = await Assert.ThrowsAsync<TransportException>(() => _host.ServeAsync(new FakeSession(), CancellationToken.None).WaitAsync(Soon));

        Assert.Contains("no hello within", error.Message);
    }

    [Fact]
    public async Task Serve_SenderThatVanishedAfterHello_DoesNotKeepTheNextOneOut()
    {
        await _host.ServeAsync(new FakeSession { Gone = true }.Say(new() { Hello = FakeSession.Hello() }), CancellationToken.None).WaitAsync(Soon);

        await ServedAsync();
    }

    [Fact]
    public async Task Serve_EndCenturiesAhead_DoesNotKeepTheNextOneOutForEver()
    {
        var session = new FakeSession().Say(new() { Hello = FakeSession.Hello(), Control = new() { End = true, CoveredTick = uint.MaxValue } }).Leave();
        await _host.ServeAsync(session, CancellationToken.None).WaitAsync(Soon);

        await ServedAsync();
    }

    [Fact]
    public async Task Read_DamagedKeyframe_AsksForAnIntraOneAndGoesOnFromIt()
    {
        using var encoder = new AomKeyframeEncoder(Size);
        var session = Start(out var serving);
        session.Say(new() { Keyframe = { Code(encoder, 1, intra: true) } });
        var damaged = Code(encoder, 2);
        damaged.Data = ByteString.CopyFrom([0x32, 0x7F, .. damaged.Data.Span[2..]]);
        session.Say(new() { Keyframe = { damaged } });

        Assert.NotEmpty((await session.HearAsync(m => m.KeyframeRequest is not null)).KeyframeRequest.Reason);

        session.Say(new() { Keyframe = { Code(encoder, 3), Code(encoder, 4, intra: true), Code(encoder, 5) } });
        await EndAsync(session, serving);
        Assert.Equal(3, _state.Statistics("done").Frames.Coded);
    }

    [Fact]
    public async Task Read_KeyframeIsMissing_AsksForAnIntraOneInsteadOfShowingNonsense()
    {
        using var encoder = new AomKeyframeEncoder(Size);
        var session = Start(out var serving);
        session.Say(new() { Keyframe = { Code(encoder, 1, intra: true) } });
        Code(encoder, 2);
        session.Say(new() { Keyframe = { Code(encoder, 3) } });

        await session.HearAsync(m => m.KeyframeRequest is not null);

        await EndAsync(session, serving);
        Assert.Equal(1, _state.Statistics("done").Frames.Coded);
        Assert.Contains(_reports, r => r.Contains("keyframe 3") && r.Contains("missing"));
    }

    [Fact]
    public async Task Read_IndexAndTimeOfAKeyframeDamaged_NextIntraOneIsShown()
    {
        using var encoder = new AomKeyframeEncoder(Size);
        var session = Start(out var serving);
        session.Say(new() { Keyframe = { Code(encoder, 1, intra: true) } });
        var damaged = Code(encoder, 2);
        (damaged.Index, damaged.Tick) = (0x80000002, 0x80000002);
        session.Say(new() { Keyframe = { damaged } });
        await session.HearAsync(m => m.KeyframeRequest is not null);

        session.Say(new() { Keyframe = { Code(encoder, 3, intra: true), Code(encoder, 4) } });

        await EndAsync(session, serving);
        Assert.Equal(3, _state.Statistics("done").Frames.Coded);
    }

    [Fact]
    public async Task Read_KeyframeThatDecodesToAnotherPicture_IsNotShownNorWhatFollowsUntilAnIntraOne()
    {
        using var encoder = new AomKeyframeEncoder(Size);
        using var decoder = new AomKeyframeDecoder(Size);
        var session = Start(out var serving);
        Keyframe Checked(uint index, bool intra = false)
        {
            var keyframe = Code(encoder, index, intra);
            using var decoded = decoder.Decode(keyframe.Data.Span);
            keyframe.Check = DecodedPicture.Of(decoded).Check(index, keyframe.Tick);
            return keyframe;
        }

        var (first, second) = (Checked(1, intra: true), Checked(2));
        second.Check ^= 1;
        session.Say(new() { Keyframe = { first, second } });
        await session.HearAsync(m => m.KeyframeRequest is not null);
        session.Say(new() { Keyframe = { Checked(3), Checked(4, intra: true), Checked(5) } });

        await EndAsync(session, serving);
        Assert.Equal(3, _state.Statistics("done").Frames.Coded);
        Assert.Contains(_reports, r => r.Contains("keyframe 2") && r.Contains("another picture"));
        Assert.Contains(_reports, r => r.Contains("keyframe 3") && r.Contains("missing"));
    }

    [Fact]
    public async Task Read_RandomParts_NeverEndsTheSession()
    {
        var random = new Random(5);
        var session = Start(out var serving);
        for (var n = 0; n < 300; n++)
        {
            var data = new byte[random.Next(60)];
            random.NextBytes(data);
            var message = new SenderMessage
            {
                Keyframe = { new Keyframe { Index = (uint)n, Tick = (uint)random.Next(), Data = ByteString.CopyFrom(data), Base = (uint)random.Next(2), Total = (uint)random.Next(3) * 40 } },
                Motion = { new GapMotion { Keyframe = (uint)random.Next(400), Data = ByteString.CopyFrom(data) } },
                Text = { new SceneText { Tick = (uint)random.Next(), Scene = (uint)n } },
                Control = new() { EpochUs = (ulong)random.NextInt64() },
            };
            session.Say(message);
        }

        await EndAsync(session, serving);
        Assert.DoesNotContain(_reports, r => r.Contains("Exception"));
    }

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    private static Keyframe Code(AomKeyframeEncoder encoder, uint index, bool intra = false)
    {
        using var picture = VideoFrame.Allocate(Size);
        picture.Fill((byte)(40 + index * 20));
        picture.Y.Row((int)index * 3).Fill(200);
        var keyframe = new Keyframe { Index = index, Tick = index, Data = ByteString.CopyFrom(encoder.Encode(picture, new(40, CodedScale.Full, intra))) };
        if (intra)
            keyframe.Base = 0;
        return keyframe;
    }

    private FakeSession Start(out Task serving)
    {
        var session = new FakeSession().Say(new() { Hello = FakeSession.Hello() });
        serving = _host.ServeAsync(session, CancellationToken.None);
        return session;
    }

    private static async Task EndAsync(FakeSession session, Task serving)
    {
        session.Say(new() { Control = new() { End = true, CoveredTick = 6 } }).Leave();
        await serving.WaitAsync(Soon);
    }

    /// <summary>Another sender is welcomed.</summary>
    private async Task ServedAsync(TimeSpan? within = null)
    {
        var next = Start(out var serving).Leave();
        await serving.WaitAsync(within ?? Soon);
        Assert.NotNull((await next.HearAsync(m => m.Welcome is not null)).Welcome.Version);
    }
}
