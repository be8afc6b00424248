using CmvcStream.Core.Media;
using CmvcStream.Sender.Capture;
using CmvcStream.Sender.Capture.Synthetic;
using CmvcStream.TestKit;
using Xunit;

namespace CmvcStream.Sender.Tests.Capture;

public sealed class SyntheticTests
{
    private static readonly PixelSize Size = new(160, 90);

    public static TheoryData<string> Names => [.. Scenes.Names];

    [Theory]
    [MemberData(nameof(Names))]
    public void Render_SameTime_IsTheSamePictureWhateverCameBefore(string name)
    {
        using var first = Picture(Scenes.Find(name)(Size), 3.2);
        var other = Scenes.Find(name)(Size);
        Picture(other, 7.4).Dispose();
        using var second = Picture(other, 3.2);

        Assert.Equal(first.Y.Buffer, second.Y.Buffer);
    }

    [Theory]
    [InlineData("street", 0.5, 0.002, 0.30)]
    [InlineData("drone", 0.5, 0.30, 1.0)]
    public void Render_HalfASecondLater_HasMoved(string name, double later, double least, double most)
    {
        var scene = Scenes.Find(name)(Size);
        using var before = Picture(scene, 2);
        using var after = Picture(scene, 2 + later);

        var changed = 0;
        for (var y = 0; y < Size.Height; y++)
        {
            for (var x = 0; x < Size.Width; x++)
                changed += Math.Abs(before.Y.Row(y)[x] - after.Y.Row(y)[x]) > 4 ? 1 : 0;
        }

        Assert.InRange((double)changed / Size.Area, least, most);
    }

    [Fact]
    public void Render_Street_DarkensWhenACloudPasses()
    {
        var scene = Scenes.Find("street")(Size);
        using var sunny = Picture(scene, 5);
        using var cloudy = Picture(scene, 9);

        Assert.InRange(Mean(cloudy) / Mean(sunny), 0.7, 0.85);
    }

    [Theory]
    [InlineData("street", 90, 160)]
    [InlineData("drone", 90, 160)]
    [InlineData("street", 16, 16)]
    [InlineData("drone", 16, 16)]
    public void Render_OtherShapes_StayWithinLimitedRange(string name, int width, int height)
    {
        var scene = Scenes.Find(name)(new(width, height));
        for (var t = 0.0; t < 120; t += 3.7)
        {
            using var frame = VideoFrame.Allocate(new(width, height));
            frame.Fill(0, 0, 0);
            scene.Render(frame, MediaTime.FromSeconds(t));
            foreach (var plane in new[] { frame.Y, frame.U, frame.V })
            {
                for (var y = 0; y < plane.Height; y++)
                    Assert.DoesNotContain(plane.Row(y).ToArray(), v => v is < 14 or > 242);
            }
        }
    }

    [Fact]
    public async Task ReadAsync_OddBox_HasEvenSidesAndTicksFromZero()
    {
        var clock = new ManualTime();
        await using IFrameSource source = FrameSources.Create("synthetic:street", new() { Box = new(161, 91), Clock = clock });
        await source.StartAsync(default);

        Assert.Equal(new(160, 90), source.Size);
        Assert.Equal([0, 1, 2, 3, 4], await source.TicksAsync(clock, 5));
        Assert.Equal(0, source.Dropped);
    }

    [Fact]
    public async Task ReadAsync_AfterALongSleep_GoesOnAtTrueTime()
    {
        var clock = new ManualTime();
        await using IFrameSource source = FrameSources.Create("synthetic:street", new() { Box = Size, Clock = clock });
        await source.StartAsync(default);
        await source.TicksAsync(clock, 1);

        clock.Advance(TimeSpan.FromHours(1));
        Assert.True(await Reading.BecomesAsync(() => source.Dropped > 50_000));
        var ticks = await source.TicksAsync(clock, 24);     // those that waited, and some more

        Assert.InRange(ticks[^1], 3600 * 15, 3600 * 15 + 28);
        Assert.Equal(ticks[^1] + 1 - 25, source.Dropped);
    }

    private static VideoFrame Picture(ISyntheticScene scene, double seconds)
    {
        var frame = VideoFrame.Allocate(Size);
        frame.Fill();
        scene.Render(frame, MediaTime.FromSeconds(seconds));
        return frame;
    }

    private static double Mean(VideoFrame frame)
    {
        var sum = 0L;
        for (var y = 0; y < frame.Size.Height; y++)
        {
            foreach (var value in frame.Y.Row(y))
                sum += value - 16;
        }

        return (double)sum / frame.Size.Area;
    }
}
