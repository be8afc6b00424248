using CmvcStream.Core.Control;
using CmvcStream.Core.Media;
using CmvcStream.Protos;
using Google.Protobuf;
using Xunit;

namespace CmvcStream.Core.Tests.Control;

public class SenderLinkTests
{
    private MediaTime _now;

    [Fact]
    public void Poll_NewConnection_HelloAndTextShareTheFirstPacket()
    {
        var link = Connected();
        link.Add(new SceneText { Scene = 1, Look = "bright" }, _now);

        var first = Next(link);

        Assert.NotNull(first.Hello);
        Assert.Equal("bright", Assert.Single(first.Text).Look);
    }

    [Fact]
    public void Poll_NothingIsReported_StopsAndLetsKeyframesGoStale()
    {
        var link = Connected();
        var sent = 0;
        for (var k = 1u; k <= 30; k++)
        {
            link.Add(new Keyframe { Index = k, Data = ByteString.CopyFrom(new byte[600]) }, null, _now);
            for (var end = _now + MediaTime.FromSeconds(1); _now < end; _now += MediaTime.FromMilliseconds(50))
                sent += link.Poll(_now, out _) is null ? 0 : 1;
        }

        Assert.InRange(link.InFlight, 500, 2600);
        Assert.InRange(sent, 1, 6);
        Assert.InRange(link.DroppedKeyframes, 15, 30);
        Assert.True(link.TakeLoss());
        Assert.False(link.TakeLoss());
        Assert.True(double.IsNegativeInfinity(link.Available(_now, MediaTime.Zero)));
    }

    [Fact]
    public void Connect_Again_SaysWhatConcernsTheWholeStreamAgain()
    {
        var link = Connected();
        link.Add(new SceneText { Scene = 1, Look = "bright", Motion = "camera still" }, _now);
        link.Add(new StreamControl { EpochUs = 5 }, _now);
        Next(link);
        link.Add(new SceneText { Scene = 1, Motion = "camera pans left" }, _now);
        link.Disconnect();
        Assert.Null(link.Poll(_now, out _));

        link.Connect(_now, new Hello());

        var again = Next(link);
        Assert.Equal(("bright", "camera pans left"), (Assert.Single(again.Text).Look, again.Text[0].Motion));
        Assert.Equal(5u, again.Control.EpochUs);
        Assert.True(link.TakeLoss());
    }

    [Fact]
    public void Hear_WelcomeOfAReceiverThatKnowsNothing_ForgetsWhatWasAcknowledged()
    {
        var link = Connected();
        Next(link);
        link.Hear(_now, new() { Report = new() { Sequence = 1, Keyframe = 9 } });
        Assert.Equal(9u, link.Acknowledged);

        link.Hear(_now, new() { Welcome = new() { Resumed = true, Keyframe = 12 } });
        Assert.Equal(12u, link.Acknowledged);
        link.Hear(_now, new() { Welcome = new() });
        Assert.Equal(0u, link.Acknowledged);
    }

    private SenderLink Connected()
    {
        var link = new SenderLink(new(WireOverhead.GrpcClear) { MaxRate = new(8000) });
        link.Connect(_now, new Hello { Sender = 3 });
        return link;
    }

    private SenderMessage Next(SenderLink link)
    {
        for (var tries = 0; tries < 1000; tries++, _now += MediaTime.FromMilliseconds(20))
        {
            if (link.Poll(_now, out _) is { } message)
                return message;
        }

        throw new InvalidOperationException("nothing leaves");
    }
}

public class ReportScheduleTests
{
    [Fact]
    public void Take_MessagesWithinTheInterval_AreGatheredWithTheirTimes()
    {
        var reports = new ReportSchedule();
        reports.Arrived(At(100), new() { Sequence = 1, ReportIntervalMs = 500 });
        Assert.Equal(1u, reports.Take(At(100), 0, 0, 0)!.Sequence);
        reports.Arrived(At(200), new() { Sequence = 2 });
        reports.Arrived(At(350), new() { Sequence = 3 });
        Assert.Null(reports.Take(At(400), 0, 0, 0));
        Assert.Equal(At(600), reports.Due);

        var report = reports.Take(At(600), 7, 0, 0)!;

        Assert.Equal((3u, 350u, 7u, 3u), (report.Sequence, report.ArrivalMs, report.Keyframe, report.Received));
        Assert.Equal([1, 150], report.Others);
        Assert.Null(reports.Due);
    }

    [Fact]
    public void Take_TheEnd_IsReportedAtOnceWithWhatWaits()
    {
        var reports = new ReportSchedule();
        reports.Arrived(At(100), new() { Sequence = 1, ReportIntervalMs = 2500 });
        reports.Take(At(100), 0, 0, 0);
        reports.Arrived(At(900), new() { Sequence = 2 });
        reports.Arrived(At(1000), new() { Sequence = 3, Control = new() { End = true } });

        var report = reports.Take(At(1000), 0, 0, 0)!;

        Assert.Equal((3u, 3u), (report.Sequence, report.Received));
    }

    [Fact]
    public void Take_OnAPathThatLoses_TellsEachArrivalTwice()
    {
        var reports = new ReportSchedule(ordered: false);
        reports.Arrived(At(0), new() { Sequence = 1, ReportIntervalMs = 50 });
        reports.Take(At(0), 0, 0, 0);
        reports.Arrived(At(1000), new() { Sequence = 3 });

        var report = reports.Take(At(1000), 0, 0, 0)!;

        Assert.Equal([2, 1000], report.Others);
    }

    private static MediaTime At(int ms) => MediaTime.FromMilliseconds(ms);
}

public class RateControllerTests
{
    [Fact]
    public void Update_LinkBecomesSlower_FollowsAtOnceAndUpGently()
    {
        var control = new RateController(new(50_000), new(8000));
        control.Update(At(0.0), new(16_000), default);
        Assert.InRange(control.Rate.BitsPerSecond, 8000, 8001);
        for (var t = 0.1; t < 4; t += 0.1)
            control.Update(At(t), new(16_000), default);
        Assert.InRange(control.Rate.BitsPerSecond, 15_000, 16_000);

        control.Update(At(4.1), new(4000), default);

        Assert.InRange(control.Rate.BitsPerSecond, 3600, 4000);
    }

    [Fact]
    public void Update_AroundTheThresholds_ChangesModeOnlyForWhatLasts()
    {
        var control = new RateController(new(50_000), new(8000));
        var changes = new List<ModeChange>();
        for (var t = 0.0; t < 60; t += 0.1)
        {
            // Dips of 0.2 s, then 20 s of 2 kbit/s, a second of 6, and 6 for good.
            var rate = t is > 20 and < 40 ? (t is > 30 and < 31 ? 6000 : 2000) : t % 5 < 0.2 ? 1000 : 6000;
            if (control.Update(At(t), new(rate), default) is { } change)
                changes.Add(change);
        }

        Assert.Equal([StreamMode.Tt2V, StreamMode.It2V], changes.Select(c => c.To));
        Assert.InRange(changes[0].At.Seconds, 20.2, 21);
        Assert.InRange(changes[1].At.Seconds, 43, 44.5);
    }

    [Theory]
    [InlineData(ModeChoice.It2v, StreamMode.It2V)]
    [InlineData(ModeChoice.Tt2v, StreamMode.Tt2V)]
    public void Update_ModeIsChosenByTheUser_Stays(ModeChoice choice, StreamMode mode)
    {
        var control = new RateController(new(50_000), new(8000), choice);
        for (var t = 0.0; t < 30; t += 0.1)
            Assert.Null(control.Update(At(t), new(t < 15 ? 1000 : 30_000), default));
        Assert.Equal(mode, control.Mode);
    }

    private static MediaTime At(double seconds) => MediaTime.FromSeconds(seconds);
}
