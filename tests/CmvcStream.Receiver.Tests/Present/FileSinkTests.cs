using CmvcStream.Core.Media;
using CmvcStream.Receiver.Present;
using CmvcStream.TestKit;

namespace CmvcStream.Receiver.Tests.Present;

public sealed class FileSinkTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly List<string> _reports = [];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Y4m_ReadByFfmpeg_GivesBackEveryPixelInLimitedRange()
    {
        Tool.SkipWithout("ffprobe");
        var path = _folder.File("out.y4m");
        await PresentAsync($"y4m:{path}", Frames(60));

        var described = await Tool.TextAsync("ffprobe", "-v", "error", "-count_frames", "-show_entries",
            "stream=width,height,pix_fmt,color_range,chroma_location,r_frame_rate,nb_read_frames", "-of", "csv=p=0", path);
        Assert.Equal("64,48,yuv420p,tv,left,30/1,60", described);
        var pixels = await Tool.RunAsync("ffmpeg", "-v", "error", "-i", path, "-f", "rawvideo", "-");
        var length = 64 * 48 * 3 / 2;
        Assert.Equal(60 * length, pixels.Length);
        for (var n = 0; n < 60; n++)
        {
            Assert.Equal(TestFrames.Luma(n), pixels[n * length]);
            Assert.Equal(TestFrames.Luma(n), pixels[n * length + 64 * 48 - 1]);
            Assert.Equal(128, pixels[n * length + 64 * 48]);
            Assert.Equal(128, pixels[(n + 1) * length - 1]);
        }
    }

    [Fact]
    public async Task Y4m_OddSize_IsReadWithTheSamePixels()
    {
        Tool.SkipWithout("ffmpeg");
        var path = _folder.File("odd.y4m");
        await PresentAsync($"y4m:{path}", [TestFrames.Make(0, size: new(33, 17))]);

        var pixels = await Tool.RunAsync("ffmpeg", "-v", "error", "-i", path, "-f", "rawvideo", "-");

        Assert.Equal(33 * 17 + 2 * 17 * 9, pixels.Length);
    }

    [Fact]
    public async Task Y4m_Table_SaysWhenWhatAndWhereFrom()
    {
        var path = _folder.File("out.y4m");
        await PresentAsync($"y4m:{path}",
        [
            TestFrames.Make(0, Provenance.None), TestFrames.Make(1), TestFrames.Make(2, Provenance.Restored), TestFrames.Make(3, Provenance.Interpolated),
            TestFrames.Make(4, Provenance.Extrapolated), TestFrames.Make(5, Provenance.Held),
        ]);

        var rows = (await File.ReadAllLinesAsync(path + ".frames.tsv")).Select(line => line.Split('\t')).ToArray();

        Assert.Equal(["n", "wall_us", "source_pts_us", "provenance"], rows[0]);
        Assert.Equal(["0", "1", "2", "3", "4", "5"], rows[1..].Select(r => r[0]));
        Assert.Equal(["0", "33333", "66667", "100000", "133333", "166667"], rows[1..].Select(r => r[2]));
        Assert.Equal(["none", "transmitted", "restored", "interpolated", "extrapolated", "held"], rows[1..].Select(r => r[3]));
        // Unix time (2030 in the test), with the steps of the presentation clock.
        var began = new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero).ToUnixTimeMilliseconds() * 1000;
        Assert.Equal([0, 33333, 66667, 100000, 133333, 166667], rows[1..].Select(r => long.Parse(r[1]) - began));
    }

    [Fact]
    public async Task Y4m_ANumberIsMissing_RepeatsThePictureBeforeItAsHeld()
    {
        var path = _folder.File("out.y4m");
        await PresentAsync($"y4m:{path}", [TestFrames.Make(0), TestFrames.Make(3)]);

        var rows = (await File.ReadAllLinesAsync(path + ".frames.tsv"))[1..].Select(line => line.Split('\t')).ToArray();
        var bytes = await File.ReadAllBytesAsync(path);

        Assert.Equal(["0", "1", "2", "3"], rows.Select(r => r[0]));
        Assert.Equal(["transmitted", "held", "held", "transmitted"], rows.Select(r => r[3]));
        Assert.Equal(["0", "0", "0", "100000"], rows.Select(r => r[2]));
        var frame = "FRAME\n".Length + 64 * 48 * 3 / 2;
        var header = bytes.Length - 4 * frame;
        Assert.Equal([0, 0, 0, 3], Enumerable.Range(0, 4).Select(k => (bytes[header + k * frame + 6] - 16) / 3));
    }

    [Fact]
    public async Task Y4m_SizeChanges_FailsWithBothSizes()
    {
        await using var sink = Create($"y4m:{_folder.File("out.y4m")}");
        Present(sink, TestFrames.Make(0));
        Present(sink, TestFrames.Make(1, size: new(32, 32)));

        var e = await Assert.ThrowsAsync<SinkException>(() => sink.CompleteAsync(CancellationToken.None));

        Assert.Contains("from 64x48 to 32x32", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Y4m_AllFramesWritten_GivesFramesBackToThePool()
    {
        var pool = new FramePool(TestFrames.Size);
        await using var sink = Create($"y4m:{_folder.File("out.y4m")}");
        for (var n = 0; n < 40; n++)
            Present(sink, TestFrames.Make(n, pool: pool));
        await sink.CompleteAsync(CancellationToken.None);

        var before = pool.Created;
        var again = Enumerable.Range(0, Math.Min(before, 32)).Select(_ => pool.Rent()).ToArray();

        Assert.Equal(before, pool.Created);
        Assert.All(again, frame => frame.Dispose());
    }

    [Fact]
    public async Task Mp4_ReadByFfprobe_HasEveryFrameInOrder()
    {
        Tool.SkipWithout("ffmpeg");
        var path = _folder.File("out.mp4");
        await PresentAsync($"mp4:{path}", Frames(45));

        var described = await Tool.TextAsync("ffprobe", "-v", "error", "-count_frames", "-show_entries",
            "stream=codec_name,width,height,pix_fmt,color_range,r_frame_rate,nb_read_frames", "-of", "csv=p=0", path);
        Assert.Equal("h264,64,48,yuv420p,tv,30/1,45", described);
        var pixels = await Tool.RunAsync("ffmpeg", "-v", "error", "-i", path, "-f", "rawvideo", "-");
        for (var n = 0; n < 45; n++)
            Assert.InRange(pixels[n * 64 * 48 * 3 / 2 + 1000] - TestFrames.Luma(n), -3, 3);
    }

    [Fact]
    public async Task Mp4_Child_LivesInAProcessGroupOfItsOwn()
    {
        Tool.SkipWithout("ffmpeg");
        Tool.SkipWithout("setsid");
        await using var sink = (Mp4Sink)Create($"mp4:{_folder.File("out.mp4")}");
        Present(sink, TestFrames.Make(0));
        for (var patience = 0; patience < 500 && (sink.ChildId is null || GroupOf(sink) != sink.ChildId); patience++)
            await Task.Delay(10);

        Assert.NotNull(sink.ChildId);
        Assert.Equal(sink.ChildId, GroupOf(sink));
    }

    [Fact]
    public async Task Mp4_FfmpegRefuses_TellsItsReason()
    {
        Tool.SkipWithout("ffmpeg");
        await using var sink = Create($"mp4:{_folder.File("odd.mp4")}");
        Present(sink, TestFrames.Make(0, size: new(33, 17)));

        var e = await Assert.ThrowsAsync<SinkException>(() => sink.CompleteAsync(CancellationToken.None));

        Assert.Contains("not divisible by 2", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Mp4_NothingPresented_LeavesNoFile()
    {
        Tool.SkipWithout("ffmpeg");
        var path = _folder.File("none.mp4");

        await PresentAsync($"mp4:{path}", []);

        Assert.False(File.Exists(path));
    }

    private static int? GroupOf(Mp4Sink sink) =>
        sink.ChildId is { } id ? int.Parse(File.ReadAllText($"/proc/{id}/stat").Split(") ")[1].Split(' ')[2]) : null;

    private static IEnumerable<RegeneratedFrame> Frames(int count) => Enumerable.Range(0, count).Select(n => TestFrames.Make(n));

    private static void Present(IFrameSink sink, RegeneratedFrame frame)
    {
        using (frame)
            sink.Present(frame);
    }

    private IFrameSink Create(string specification) =>
        FrameSinks.Create(specification, TestFrames.Fps, TextWriter.Null, _reports.Add, new ManualTime());

    private async Task PresentAsync(string specification, IEnumerable<RegeneratedFrame> frames)
    {
        await using var sink = Create(specification);
        foreach (var frame in frames)
            Present(sink, frame);
        await sink.CompleteAsync(CancellationToken.None);
        Assert.Empty(_reports);
    }
}
