using System.Collections.Concurrent;
using CmvcStream.Codecs.Av1;
using CmvcStream.Core.Codec;
using CmvcStream.Core.Media;
using CmvcStream.Protos;
using CmvcStream.Receiver.Networks;
using CmvcStream.Receiver.Viewer;
using CmvcStream.TestKit;
using CmvcStream.Transport;
using Google.Protobuf;

namespace CmvcStream.Receiver.Tests;

public sealed class SessionHostTests : IAsyncDisposable
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(30);
    private static readonly PixelSize Size = new(64, 64);

    private readonly ConcurrentQueue<string> _reports = new();
    private readonly ReceiverState _state;
    private readonly RegenerationNetworks _networks;
    private readonly SessionHost _host;

    public SessionHostTests()
    {
        var options = new ReceiveOptions(new("http://127.0.0.1:0")) { Out = ["null:"] };
        _state = new(options, TimeProvider.System);
        _networks = new(new() { Network = NetworkOptions.None }, _reports.Enqueue);
        _host = new(options, _state, null, _networks, TextWriter.Null, _reports.Enqueue) { HelloPatience = TimeSpan.FromSeconds(1) };
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

    [Fact]
    public async Task Serve_SameSenderAgain_GoesOnWithItsStream()
    {
        using var encoder = new AomKeyframeEncoder(Size);
        var first = Start(out var serving, sender: 7);
        first.Say(new() { Sequence = 2, Keyframe = { Code(encoder, 1, intra: true), Code(encoder, 2) } });
        Assert.Equal(2u, (await first.HearAsync(m => m.Report?.Sequence == 2)).Report.Keyframe);
        first.Leave();
        await serving.WaitAsync(Soon);

        var second = Start(out serving, sender: 7);

        var welcome = (await second.HearAsync(m => m.Welcome is not null)).Welcome;
        Assert.Equal((true, 2u), (welcome.Resumed, welcome.Keyframe));
        second.Say(new() { Sequence = 3, Keyframe = { Code(encoder, 3) } });
        await second.HearAsync(m => m.Report?.Keyframe == 3);
        await EndAsync(second, serving);
        Assert.Equal(3, _state.Statistics("done").Frames.Coded);
        Assert.Single(_reports, r => r.Contains("shows test"));
    }

    [Fact]
    public async Task Serve_SameSenderAgainAfterTheEnd_HearsItReportedAndBeginsNoNewStream()
    {
        var first = Start(out var serving, sender: 7);
        await EndAsync(first, serving);

        var second = Start(out serving, sender: 7);

        Assert.True((await second.HearAsync(m => m.Welcome is not null)).Welcome.Resumed);
        second.Say(new() { Sequence = 9, Control = new() { End = true, CoveredTick = 6 } });
        await second.HearAsync(m => m.Report?.Sequence == 9);
        await EndAsync(second, serving);
        Assert.Single(_reports, r => r.Contains("shows test"));
        Assert.Equal(StreamPhase.Ended, _state.Snapshot().Phase);
    }

    [Fact]
    public async Task Serve_FreshConnectionsBesideTheFirst_TheOneThatGoesOnTakesOver()
    {
        var first = Start(out var serving, sender: 7);
        await first.HearAsync(m => m.Welcome is not null);
        var (second, third) = (Start(out var second2, sender: 7), Start(out var third3, sender: 7));
        await second.HearAsync(m => m.Welcome is not null);
        await third.HearAsync(m => m.Welcome is not null);
        Assert.False(serving.IsCompleted);

        second.Say(new() { Sequence = 5 });
        third.Leave();

        await second.HearAsync(m => m.Report?.Sequence == 5);
        await serving.WaitAsync(Soon);
        await third3.WaitAsync(Soon);
        await EndAsync(second, second2);
        Assert.DoesNotContain(_reports, r => r.Contains("lost"));
    }

    [Fact]
    public async Task Serve_AnotherSenderWhileOneIsHeard_IsBusy()
    {
        var first = Start(out var serving, sender: 7);
        await first.HearAsync(m => m.Welcome is not null);

        var refusal = await Assert.ThrowsAsync<TransportException>(() => _host.ServeAsync(new FakeSession().Say(new() { Hello = FakeSession.Hello(sender: 8) }), CancellationToken.None));

        Assert.Equal(TransportError.Busy, refusal.Error);
        await EndAsync(first, serving);
    }

    [Fact]
    public async Task Serve_AnotherSenderAfterALostOne_TakesItsPlace()
    {
        var first = Start(out var serving, sender: 7).Leave();
        await serving.WaitAsync(Soon);

        var second = Start(out serving, sender: 8);

        Assert.False((await second.HearAsync(m => m.Welcome is not null)).Welcome.Resumed);
        await EndAsync(second, serving);
        Assert.Contains(_reports, r => r.Contains("another sender has come"));
        _ = first;
    }

    [Fact]
    public async Task Read_TextOnly_TheModeIsShownAndCounted()
    {
        var session = Start(out var serving);
        session.Say(new() { Sequence = 2, Control = new() { Mode = StreamMode.Tt2V }, Text = { new SceneText { Scene = 1, Look = "dark" } } });
        await session.HearAsync(m => m.Report?.Sequence == 2);

        Assert.Equal("TT2V", _state.Snapshot().Mode);
        Assert.Equal("TT2V", Assert.Single(_state.Statistics("running").Modes.Switches).To);
        session.Say(new() { Sequence = 3, Control = new() { Mode = StreamMode.It2V } });
        await session.HearAsync(m => m.Report?.Sequence == 3);
        Assert.Equal("IT2V", _state.Snapshot().Mode);
        await EndAsync(session, serving);
    }

    [Fact]
    public async Task Read_StreamJoinedLate_BeginsAtItsOrigin()
    {
        using var encoder = new AomKeyframeEncoder(Size);
        var hello = FakeSession.Hello();
        hello.OriginTick = 15_000;
        var session = new FakeSession().Say(new() { Hello = hello });
        var serving = _host.ServeAsync(session, CancellationToken.None);
        var keyframe = Code(encoder, 1, intra: true);
        keyframe.Tick = 15_002;
        session.Say(new() { Keyframe = { keyframe }, Control = new() { End = true, CoveredTick = 15_015 } }).Leave();
        await serving.WaitAsync(Soon);

        Assert.Equal(1, _state.Statistics("done").Frames.Coded);
        await _host.First.WaitAsync(Soon);
        Assert.InRange(_state.Presented, 28, 31);
    }

    [Fact]
    public void Snapshot_NothingIsHeardForLong_SaysLostThoughTheConnectionIsOpen()
    {
        var time = new ManualTime();
        var state = new ReceiverState(new(new("http://127.0.0.1:0")), time);
        state.Begin(FakeSession.Hello(), new FakeSession(), resumed: false);
        time.Advance(TimeSpan.FromSeconds(11));
        Assert.Equal(StreamPhase.Connected, state.Snapshot().Phase);

        time.Advance(TimeSpan.FromSeconds(1));

        Assert.Equal(StreamPhase.Lost, state.Snapshot().Phase);
        Assert.Contains("nothing was heard", state.Snapshot().Trouble);
        state.Heard();
        Assert.Equal((StreamPhase.Connected, null), (state.Snapshot().Phase, state.Snapshot().Trouble));
    }

    public async ValueTask DisposeAsync()
    {
        await _host.DisposeAsync();
        _networks.Dispose();
    }

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

    private FakeSession Start(out Task serving, ulong sender = 0)
    {
        var session = new FakeSession().Say(new() { Sequence = 1, Hello = FakeSession.Hello(sender: sender) });
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
