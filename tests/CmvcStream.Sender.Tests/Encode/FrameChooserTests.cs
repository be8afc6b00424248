using CmvcStream.Core.Control;
using CmvcStream.Core.Media;
using CmvcStream.Protos;
using CmvcStream.Sender.Capture.Synthetic;
using CmvcStream.Sender.Encode;
using Xunit;

namespace CmvcStream.Sender.Tests.Encode;

public sealed class FrameChooserTests : IDisposable
{
    private static readonly PixelSize Size = new(160, 90);
    private readonly KeyframeRateControl _rate = new(new(8000), WireOverhead.GrpcClear, FrameRate.PerSecond(15), Size);
    private readonly ISyntheticScene _street = Scenes.Find("street")(Size), _drone = Scenes.Find("drone")(Size);
    private readonly KeyframeStage _stage;
    private readonly FrameChooser _chooser;

    public FrameChooserTests()
    {
        _stage = new(Size, _rate);
        _chooser = new(_stage, _rate);
    }

    public void Dispose()
    {
        _chooser.Dispose();
        _stage.Dispose();
    }

    [Fact]
    public void Offer_FramesThatWaitedForTheEncoder_OnlyTheNewestBecomesAKeyframe()
    {
        Code(_chooser.Offer(Frame(_street, 0), _rate.Nominal));

        // A slow keyframe: all that came meanwhile is far beyond the longest interval.
        for (var tick = 1; tick < 30; tick++)
            Assert.Null(_chooser.Offer(Frame(_street, tick), _rate.Nominal, newest: false));
        var choice = _chooser.Offer(Frame(_street, 30), _rate.Nominal);

        Assert.Equal(30, choice?.Frame.Tick);
        Assert.Equal(Enumerable.Range(1, 29).Select(t => (long)t), choice!.Between.Select(f => f.Tick));
    }

    [Fact]
    public void Offer_CutAmongFramesThatWaited_TheNewestBeginsTheScene()
    {
        Code(_chooser.Offer(Frame(_street, 0), _rate.Nominal));
        for (var tick = 1; tick < 6; tick++)
            Code(_chooser.Offer(Frame(_street, tick), available: 0));

        for (var tick = 6; tick < 9; tick++)
            Assert.Null(_chooser.Offer(Frame(_drone, tick), _rate.Nominal, newest: false));
        var choice = _chooser.Offer(Frame(_drone, 9), _rate.Nominal);

        Assert.Equal((9, KeyframeReason.SceneCut), (choice?.Frame.Tick, choice?.Reason));
        Assert.Equal(2, _chooser.Scene);
    }

    private void Code(Choice? choice)
    {
        if (choice is null)
            return;
        _stage.Encode(choice.Frame, choice.Between, choice.Reason, _rate.Nominal);
        _chooser.Coded();
    }

    private static CapturedFrame Frame(ISyntheticScene scene, long tick)
    {
        var frame = VideoFrame.Allocate(Size);
        frame.Fill();
        frame.Pts = MediaTime.FromTicks(tick, FrameRate.PerSecond(15));
        scene.Render(frame, frame.Pts);
        return new(frame, tick);
    }
}
