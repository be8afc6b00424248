using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using CmvcStream.Core.Media;
using CmvcStream.Sender.Capture;
using CmvcStream.TestKit;
using Xunit;

namespace CmvcStream.Sender.Tests.Capture;

public sealed class FileFrameSourceTests : IDisposable
{
    private readonly Clips _clips = new();
    private readonly ManualTime _clock = new();

    public void Dispose() => _clips.Dispose();

    [Theory]
    [InlineData("1280x720", 480, 270)]
    [InlineData("854x480", 480, 270)]
    [InlineData("720x1280", 152, 270)]
    [InlineData("321x241", 320, 240)]
    [InlineData("160x120", 160, 120)]
    [InlineData("1920x400", 480, 100)]
    public async Task StartAsync_AnySize_FitsTheBoxAndIsNeverEnlarged(string size, int width, int height)
    {
        await using var source = Source(_clips.Make("a.mkv", size, seconds: 0.2, more: ["-c:v", "ffv1"]));

        await source.StartAsync(default);

        Assert.Equal(new(width, height), source.Size);
    }

    [Fact]
    public async Task StartAsync_AnamorphicPicture_KeepsTheAspectOfTheDisplay()
    {
        await using var source = Source(_clips.Make("a.mkv", "360x288", seconds: 0.2, more: ["-vf", "setsar=64/45"]));

        await source.StartAsync(default);

        Assert.Equal(new(480, 270), source.Size);
    }

    [Fact]
    public async Task ReadAsync_WholeFile_GivesEveryTickOnce()
    {
        await using var source = await StartedAsync(_clips.Make("a.mp4", rate: 30, seconds: 2));

        Assert.Equal(Enumerable.Range(0, 30).Select(k => (long)k), await source.TicksAsync(_clock));
        Assert.Equal(0, source.Dropped);
    }

    [Fact]
    public async Task ReadAsync_AfterTheEnd_IsNullAgain()
    {
        await using var source = await StartedAsync(_clips.Make("a.mp4", seconds: 0.2));
        await source.TicksAsync(_clock);

        Assert.Null(await source.ReadAsync(default));
    }

    [Fact]
    public async Task ReadAsync_BeforeItsTime_Waits()
    {
        await using var source = await StartedAsync(_clips.Make("a.mp4", seconds: 1));
        await source.TicksAsync(_clock, 1);
        var read = source.ReadAsync(default).AsTask();

        _clock.Advance(TimeSpan.FromMilliseconds(60));
        await Task.WhenAny(read, Task.Delay(50));
        Assert.False(read.IsCompleted);

        _clock.Advance(TimeSpan.FromMilliseconds(10));
        Assert.Equal(1, (await read.WaitAsync(Reading.Limit))!.Tick);
    }

    [Fact]
    public async Task ReadAsync_BusyReader_GetsTheNewest()
    {
        await using var source = await StartedAsync(_clips.Make("a.mp4", seconds: 2));
        await source.TicksAsync(_clock, 1);

        _clock.Advance(TimeSpan.FromSeconds(3));
        Assert.True(await Reading.BecomesAsync(() => source.Dropped == 17));

        // 0.8 s of the source.
        Assert.Equal(Enumerable.Range(18, 12).Select(k => (long)k), await source.TicksAsync(_clock));
    }

    [Fact]
    public async Task HasNewer_WhilePicturesWait_IsTrue()
    {
        await using var source = await StartedAsync(_clips.Make("a.mp4", seconds: 1));
        await source.TicksAsync(_clock, 1);
        Assert.False(source.HasNewer);

        _clock.Advance(TimeSpan.FromSeconds(2.5 / 15));
        Assert.True(await Reading.BecomesAsync(() => source.HasNewer));

        Assert.Equal([1, 2], await source.TicksAsync(_clock, 2));
        Assert.False(source.HasNewer);
    }

    [Fact]
    public async Task ReadAsync_KeepAll_DropsNothing()
    {
        await using var source = await StartedAsync(_clips.Make("a.mp4", seconds: 1), new() { KeepAll = true });

        await source.TicksAsync(_clock, 1);
        _clock.Advance(TimeSpan.FromSeconds(2));
        await Task.Delay(100);

        Assert.Equal(Enumerable.Range(1, 14).Select(k => (long)k), await source.TicksAsync(_clock));
    }

    [Theory]
    [InlineData(0.4)]
    [InlineData(1.2)]
    public async Task ReadAsync_Loop_GoesRoundWithRisingTicks(double seconds)
    {
        var count = (int)Math.Round(seconds * 15);
        await using var source = await StartedAsync(_clips.Make("a.mkv", seconds: seconds, more: ["-c:v", "ffv1"]), new() { Loop = true });
        var sums = new List<long>();
        for (var k = 0; k < 3 * count; k++)
        {
            var frame = (await source.NextAsync(_clock))!;
            Assert.Equal(k, frame.Tick);
            sums.Add(frame.Frame.Y.Row(100).ToArray().Select((v, x) => (long)v * x).Sum());
            frame.Frame.Dispose();
        }

        Assert.Equal(sums[..count], sums[count..(2 * count)]);
        Assert.Equal(sums[..count], sums[(2 * count)..]);
        Assert.True(sums[..count].Distinct().Count() > count / 2);
    }

    [Fact]
    public async Task ReadAsync_TruncatedFile_PlaysWhatThereIs()
    {
        var path = _clips.Make("a.ts", seconds: 2);
        var bytes = File.ReadAllBytes(path);
        File.WriteAllBytes(path, bytes[..(bytes.Length / 2)]);
        await using var source = await StartedAsync(path);

        Assert.InRange((await source.TicksAsync(_clock)).Count, 5, 25);
    }

    [Fact]
    public async Task ReadAsync_SizeChangesWithinTheFile_KeepsTheFirst()
    {
        byte[] both = [.. File.ReadAllBytes(_clips.Make("a.ts")), .. File.ReadAllBytes(_clips.Make("b.ts", "160x120"))];
        File.WriteAllBytes(_clips.PathOf("c.ts"), both);
        await using var source = await StartedAsync(_clips.PathOf("c.ts"));

        Assert.Equal(new(320, 240), source.Size);
        Assert.InRange((await source.TicksAsync(_clock)).Count, 28, 32);
    }

    [Fact]
    public async Task ReadAsync_FullRangeWhite_BecomesLimitedRange()
    {
        var path = _clips.Run("w.avi", "-f", "lavfi", "-i", "color=white:size=320x240:rate=15:duration=0.2", "-pix_fmt", "yuvj420p", "-c:v", "mjpeg");
        await using var source = await StartedAsync(path);

        Assert.Equal(235, (await source.NextAsync(_clock))!.Frame.Y.Row(10)[10]);
    }

    [Theory]
    [InlineData("-f.mp4")]
    [InlineData("it's 100%d: odd.mp4")]
    public async Task StartAsync_OddName_IsOpened(string name)
    {
        var path = _clips.Make(name, seconds: 0.2);
        await using var source = Source(name.StartsWith('-') ? Path.GetRelativePath(Environment.CurrentDirectory, path) : path);

        await source.StartAsync(default);

        Assert.Equal(new(320, 240), source.Size);
    }

    [Fact]
    public async Task StartAsync_MissingFile_SaysWhereItWasLookedFor() =>
        await FailsAsync(_clips.PathOf("none.mp4"), "none.mp4", "no such file");

    [Fact]
    public async Task StartAsync_Folder_SaysSo() => await FailsAsync(_clips.Folder, "is a folder");

    [Fact]
    public async Task StartAsync_TextCalledMp4_GivesFfmpegsWords()
    {
        File.WriteAllText(_clips.PathOf("text.mp4"), "This is no film.\n");

        await FailsAsync(_clips.PathOf("text.mp4"), "text.mp4", "Invalid data found");
    }

    [Fact]
    public async Task StartAsync_SoundAlone_SaysThatThereIsNoVideo() =>
        await FailsAsync(_clips.Run("a.wav", "-f", "lavfi", "-i", "sine=duration=0.2"), "a.wav", "no video stream");

    [Fact]
    public async Task StartAsync_PictureTooSmall_SaysTheLimit() =>
        await FailsAsync(_clips.Make("a.mkv", "8x8", seconds: 0.2, more: ["-c:v", "ffv1"]), "16 to 4096");

    [Fact]
    public async Task StartAsync_NoPictures_SaysSo()
    {
        var path = _clips.PathOf("a.y4m");
        File.WriteAllText(path, "YUV4MPEG2 W320 H240 F15:1 Ip A1:1 C420jpeg\n");

        await FailsAsync(path, "a.y4m");
    }

    [Fact]
    public async Task StartAsync_NoFfmpeg_SaysHowToGetIt()
    {
        await using var source = Source(_clips.Make("a.mp4", seconds: 0.2), new() { Ffmpeg = "ffmpeg-that-is-missing" });

        var e = await Assert.ThrowsAsync<SourceException>(() => source.StartAsync(default));

        Assert.Contains("./cmvc", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task StartAsync_PlaylistThatPointsToTheNetwork_NeverConnects()
    {
        using var server = new TcpListener(IPAddress.Loopback, 0);
        server.Start();
        var path = _clips.PathOf("list.m3u8");
        File.WriteAllText(path, $"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://{server.LocalEndpoint}/a.ts\n#EXT-X-ENDLIST\n");

        await FailsAsync(path, "list.m3u8");

        Assert.False(server.Pending());
    }

    [Fact]
    public async Task DisposeAsync_InMidFile_IsQuick()
    {
        var source = await StartedAsync(_clips.Make("a.mp4", seconds: 20));
        await source.TicksAsync(_clock, 3);

        var time = Stopwatch.StartNew();
        await source.DisposeAsync();

        Assert.InRange(time.Elapsed.TotalSeconds, 0, 5);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => source.ReadAsync(default).AsTask());
    }

    [Fact]
    public async Task ReadAsync_CancelledWhileWaiting_CanBeAskedAgain()
    {
        await using var source = await StartedAsync(_clips.Make("a.mp4", seconds: 1));
        await source.TicksAsync(_clock, 1);
        using var cancel = new CancellationTokenSource(20);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => source.ReadAsync(cancel.Token).AsTask());

        Assert.Equal([1], await source.TicksAsync(_clock, 1));
    }

    private IFrameSource Source(string path, CaptureOptions? options = null) =>
        FrameSources.Create("file:" + path, (options ?? new()) with { Clock = _clock });

    private async Task<IFrameSource> StartedAsync(string path, CaptureOptions? options = null)
    {
        var source = Source(path, options);
        await source.StartAsync(default);
        return source;
    }

    private async Task FailsAsync(string path, params string[] expected)
    {
        await using var source = Source(path);
        var e = await Assert.ThrowsAsync<SourceException>(() => source.StartAsync(default));
        Assert.StartsWith("file:" + path, e.Message, StringComparison.Ordinal);
        foreach (var text in expected)
            Assert.Contains(text, e.Message, StringComparison.Ordinal);
    }
}
