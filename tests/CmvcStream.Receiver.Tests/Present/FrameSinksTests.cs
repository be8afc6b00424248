using CmvcStream.Core.Media;
using CmvcStream.Receiver.Present;

namespace CmvcStream.Receiver.Tests.Present;

public sealed class FrameSinksTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("avi:out.avi")]
    [InlineData("out.y4m")]
    [InlineData("")]
    [InlineData("hash:out")]
    public void Create_NoSuchOutput_SaysWhatThereIs(string specification)
    {
        var e = Assert.Throws<FormatException>(() => Create(specification));

        Assert.Contains("write ", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("y4m:", "names no file")]
    [InlineData("mp4:", "names no file")]
    [InlineData("y4m:/no/such/folder/out.y4m", "there is no folder /no/such/folder")]
    [InlineData("mp4:/no/such/folder/out.mp4", "there is no folder /no/such/folder")]
    public void Create_BadPath_SaysWhatIsWrong(string specification, string expected)
    {
        if (specification.StartsWith("mp4", StringComparison.Ordinal))
            Tool.SkipWithout("ffmpeg");

        Assert.Contains(expected, Assert.Throws<SinkException>(() => Create(specification)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Create_PathIsAFolder_SaysSo() =>
        Assert.Contains("is a folder", Assert.Throws<SinkException>(() => Create($"y4m:{_folder.Path}")).Message, StringComparison.Ordinal);

    [Fact]
    public async Task Hash_SamePictures_PrintsTheSameLineWithTheirCount()
    {
        var first = await HashAsync(0, 1, 2);

        Assert.Equal(first, await HashAsync(0, 1, 2));
        Assert.NotEqual(first, await HashAsync(0, 1, 3));
        Assert.Matches("^sha256 [0-9a-f]{64} frames 3\n$", first);
    }

    [Fact]
    public async Task Hash_OfOnePicture_IsTheHashOfItsPixelsWithoutPadding()
    {
        byte[] pixels = [.. Enumerable.Repeat(TestFrames.Luma(7), 64 * 48), .. Enumerable.Repeat((byte)128, 64 * 24)];
        var expected = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(pixels));

        Assert.Equal($"sha256 {expected} frames 1\n", await HashAsync(7));
    }

    [Fact]
    public async Task Null_AnyFrames_CompletesWithoutATrace()
    {
        await using var sink = Create("null:");
        using var frame = TestFrames.Make(0);
        sink.Present(frame);

        await sink.CompleteAsync(CancellationToken.None);
    }

    [Fact]
    public async Task Present_WriterStalls_DropsBeyondTheQueueAndReportsWithDoubling()
    {
        var reports = new List<string>();
        var gate = new TaskCompletionSource();
        await using var sink = new StallingSink(gate.Task, reports.Add);
        const int Frames = QueuedSink.Capacity + 11;
        for (var n = 0; n < Frames; n++)
        {
            using var frame = TestFrames.Make(n);
            sink.Present(frame);
            // The writer holds the first frame; the rest meets the queue.
            if (n == 0)
                await sink.Begun.Task.WaitAsync(TimeSpan.FromSeconds(10));
        }

        gate.SetResult();
        await sink.CompleteAsync(CancellationToken.None);

        Assert.Equal(10, sink.Dropped);
        Assert.Equal(QueuedSink.Capacity + 1, sink.Written);
        Assert.Equal([1, 2, 4, 8], reports.Select(r => int.Parse(r.Split(' ')[1])));
    }

    private static IFrameSink Create(string specification, TextWriter? output = null) =>
        FrameSinks.Create(specification, TestFrames.Fps, output ?? TextWriter.Null, _ => { }, TimeProvider.System);

    private static async Task<string> HashAsync(params long[] numbers)
    {
        using var output = new StringWriter { NewLine = "\n" };
        await using var sink = Create("hash:", output);
        foreach (var number in numbers)
        {
            using var frame = TestFrames.Make(number);
            sink.Present(frame);
        }

        await sink.CompleteAsync(CancellationToken.None);
        return output.ToString();
    }

    private sealed class StallingSink(Task gate, Action<string> report) : QueuedSink("stalling:", report)
    {
        public int Written { get; private set; }

        public TaskCompletionSource Begun { get; } = new();

        private protected override async ValueTask WriteAsync(RegeneratedFrame frame, CancellationToken cancellationToken)
        {
            Begun.TrySetResult();
            await gate;
            Written++;
        }

        private protected override ValueTask FinishAsync(CancellationToken cancellationToken) => ValueTask.CompletedTask;
    }
}
