using CmvcStream.Core.Media;
using CmvcStream.Receiver.Present;

namespace CmvcStream.Receiver.Tests.Present;

public sealed class FrameFanoutTests
{
    [Fact]
    public async Task Present_ToSeveralSinks_GivesAllFramesToEach()
    {
        var (a, b) = (new RecordingSink("a"), new RecordingSink("b"));
        await using var fanout = new FrameFanout([a, b], _ => { });

        for (var n = 0; n < 5; n++)
            PresentOne(fanout, n);

        Assert.Equal([0, 1, 2, 3, 4], a.Numbers);
        Assert.Equal(a.Numbers, b.Numbers);
        Assert.Equal(5, fanout.Presented);
    }

    [Fact]
    public async Task Present_SinkThrows_ReportsItOnceAndGoesOnWithTheOthers()
    {
        var reports = new List<string>();
        var (bad, good) = (new RecordingSink("bad") { FailAt = 2 }, new RecordingSink("good"));
        await using var fanout = new FrameFanout([bad, good], reports.Add);

        for (var n = 0; n < 6; n++)
            PresentOne(fanout, n);

        Assert.Equal([0, 1], bad.Numbers);
        Assert.Equal([0, 1, 2, 3, 4, 5], good.Numbers);
        Assert.Equal(["bad: broken at 2"], reports);
        Assert.Equal(reports, fanout.Failures);
    }

    [Fact]
    public async Task CompleteAsync_OneSinkFails_StillCompletesTheOthers()
    {
        var (bad, good) = (new RecordingSink("bad") { FailAtEnd = true }, new RecordingSink("good"));
        await using var fanout = new FrameFanout([bad, good], _ => { });

        await fanout.CompleteAsync(CancellationToken.None);

        Assert.True(good.Completed);
        Assert.Equal(["bad: broken at the end"], fanout.Failures);
    }

    private static void PresentOne(FrameFanout fanout, long number)
    {
        using var frame = TestFrames.Make(number);
        fanout.Present(frame);
    }

    private sealed class RecordingSink(string name) : IFrameSink
    {
        public string Name => name;

        public List<long> Numbers { get; } = [];

        public long FailAt { get; init; } = -1;

        public bool FailAtEnd { get; init; }

        public bool Completed { get; private set; }

        public void Present(RegeneratedFrame frame)
        {
            if (frame.Number == FailAt)
                throw new InvalidOperationException($"broken at {frame.Number}");
            Numbers.Add(frame.Number);
        }

        public Task CompleteAsync(CancellationToken cancellationToken)
        {
            Completed = true;
            return FailAtEnd ? throw new InvalidOperationException("broken at the end") : Task.CompletedTask;
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
