using System.Diagnostics;
using CmvcStream.Core.Media;
using CmvcStream.Sender.Capture;
using Xunit;

namespace CmvcStream.Sender.Tests.Capture;

/// <summary>There is no camera here: real ffmpeg processes that end, fail or fall silent stand for cameras that do.</summary>
public sealed class LiveFrameSourceTests : IDisposable
{
    private static readonly RetryPolicy Quick = new(
        Open: TimeSpan.FromSeconds(30), Silence: TimeSpan.FromSeconds(30), FirstRetry: TimeSpan.FromSeconds(0.1), LastRetry: TimeSpan.FromSeconds(0.4));

    private readonly Clips _clips = new();

    public void Dispose() => _clips.Dispose();

    [Fact]
    public async Task ReadAsync_CameraThatEnds_IsOpenedAgainAndTicksKeepTrueTime()
    {
        await using var source = Source("-re", "-f", "lavfi", "-i", "testsrc2=duration=1:size=320x240:rate=15");
        await source.StartAsync(default);
        var time = new Stopwatch();
        var ticks = new List<long>();
        while (source.Retries < 2 || source.Trouble is not null)
        {
            ticks.Add(await TickAsync(source));
            if (ticks.Count == 1)
                time.Start();
        }

        Assert.Equal(0, ticks[0]);
        Assert.Equal(ticks.Order().Distinct(), ticks);
        Assert.InRange(ticks[^1], time.Elapsed.TotalSeconds * 15 - 10, time.Elapsed.TotalSeconds * 15 + 3);
        Assert.Contains(ticks.Zip(ticks.Skip(1)), pair => pair.Second > pair.First + 1);
    }

    [Fact]
    public async Task Trouble_CameraUnplugged_HoldsFfmpegsWordsUntilItIsBack()
    {
        var camera = _clips.Make("camera.ts", seconds: 1);
        await using var source = Source("-re", "-i", "file:" + camera);
        await source.StartAsync(default);
        Assert.Null(source.Trouble);

        File.Move(camera, camera + ".away");
        Assert.True(await Reading.BecomesAsync(() => source.Trouble?.Contains("No such file or directory", StringComparison.Ordinal) == true));
        Assert.StartsWith("camera:test is lost", source.Trouble, StringComparison.Ordinal);

        File.Move(camera + ".away", camera);
        Assert.True(await Reading.BecomesAsync(() => source.Trouble is null));
        await TickAsync(source);
    }

    [Fact]
    public async Task Size_CameraThatComesBackLarger_StaysTheFirst()
    {
        var camera = _clips.Make("camera.ts", seconds: 1);
        await using var source = Source("-re", "-i", "file:" + camera);
        await source.StartAsync(default);
        _clips.Make("camera.ts", "640x360", seconds: 5);
        Assert.True(await Reading.BecomesAsync(() => source.Retries > 0 && source.Trouble is null));

        for (var i = 0; i < 10; i++)
        {
            using var frame = (await source.ReadAsync(default))!.Frame;
            Assert.Equal(new(320, 240), frame.Size);
        }
    }

    [Fact]
    public async Task Trouble_CameraThatFallsSilent_SaysSo()
    {
        string[] input = ["-f", "lavfi", "-i", "testsrc2=size=320x240:rate=15,realtime,select='lt(n,10)'"];
        await using var source = new LiveFrameSource("camera:test", new(input, "Mend it."), new(), Quick with { Silence = TimeSpan.FromSeconds(2) });
        await source.StartAsync(default);

        Assert.True(await Reading.BecomesAsync(() => source.Trouble?.Contains("no picture came for 2 s", StringComparison.Ordinal) == true));
    }

    [Fact]
    public async Task StartAsync_NothingEverComes_GivesUpInTime()
    {
        string[] input = ["-re", "-f", "lavfi", "-i", "testsrc2=size=320x240:rate=1/600"];
        await using var source = new LiveFrameSource("camera:test", new(input, "Mend it."), new(), Quick with { Open = TimeSpan.FromSeconds(1) });

        var e = await Assert.ThrowsAsync<SourceException>(() => source.StartAsync(default));

        Assert.Equal("camera:test cannot be opened: no picture came for 1 s. Mend it.", e.Message);
    }

    [Fact]
    public async Task StartAsync_Cancelled_EndsAtOnce()
    {
        await using var source = Source("-re", "-f", "lavfi", "-i", "testsrc2=size=320x240:rate=1/600");
        using var cancel = new CancellationTokenSource(200);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => source.StartAsync(cancel.Token).WaitAsync(TimeSpan.FromSeconds(20)));
    }

    [Fact]
    public async Task StartAsync_NoSuchCamera_GivesFfmpegsWordsAndAdvice()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "v4l2 is Linux's");
        await using var source = FrameSources.Create("camera:/dev/video97", new());

        var e = await Assert.ThrowsAsync<SourceException>(() => source.StartAsync(default));

        Assert.StartsWith("camera:/dev/video97 cannot be opened", e.Message, StringComparison.Ordinal);
        Assert.Contains("No such file or directory", e.Message, StringComparison.Ordinal);
        Assert.Contains("./cmvc devices", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task StartAsync_NobodyAtTheRtspAddress_SaysSoWithoutThePassword()
    {
        await using var source = FrameSources.Create("rtsp://me:secret@127.0.0.1:1/stream", new());

        var e = await Assert.ThrowsAsync<SourceException>(() => source.StartAsync(default));

        Assert.Contains("Connection refused", e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ReadAsync_LateFirstRead_BeginsWithAFreshPictureAtTickZero()
    {
        await using var source = Source("-re", "-f", "lavfi", "-i", "testsrc2=size=320x240:rate=15");
        await source.StartAsync(default);
        await Task.Delay(500);

        Assert.Equal(0, await TickAsync(source));
        Assert.Equal(0, source.Dropped);
    }

    [Fact]
    public async Task ReadAsync_BusyReader_LosesTheOldest()
    {
        await using var source = Source("-re", "-f", "lavfi", "-i", "testsrc2=size=320x240:rate=15");
        await source.StartAsync(default);
        var first = await TickAsync(source);

        Assert.True(await Reading.BecomesAsync(() => source.Dropped >= 5));

        Assert.True(await TickAsync(source) >= first + 6);
    }

    [Fact]
    public async Task DisposeAsync_RunningCamera_EndsItsFfmpeg()
    {
        FramePool? pool = null;
        string[] input = ["-re", "-f", "lavfi", "-i", "testsrc2=size=320x240:rate=15"];
        var session = await FfmpegSession.OpenAsync(
            "ffmpeg", FfmpegArguments.Build(input, new()), size => pool = new(size), TimeProvider.System, Reading.Limit, default, default);
        using var process = Process.GetProcessById(session.ProcessId);

        await session.DisposeAsync();

        Assert.True(process.WaitForExit(5000));
    }

    [Fact]
    public async Task DisposeAsync_WhileItIsRetried_IsQuick()
    {
        var source = Source("-f", "lavfi", "-i", "testsrc2=duration=0.5:size=320x240:rate=15");
        await source.StartAsync(default);
        await Reading.BecomesAsync(() => source.Trouble is not null);

        await source.DisposeAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(10));

        await Assert.ThrowsAsync<ObjectDisposedException>(() => source.ReadAsync(default).AsTask());
    }

    private static LiveFrameSource Source(params string[] input) => new("camera:test", new(input, "Mend it."), new(), Quick);

    private static async Task<long> TickAsync(LiveFrameSource source)
    {
        using var limit = new CancellationTokenSource(Reading.Limit);
        var captured = (await source.ReadAsync(limit.Token))!;
        captured.Frame.Dispose();
        return captured.Tick;
    }
}
