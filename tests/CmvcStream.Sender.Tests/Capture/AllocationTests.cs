using CmvcStream.Core.Media;
using CmvcStream.Sender.Capture;
using Xunit;

namespace CmvcStream.Sender.Tests.Capture;

// Allocations are counted for the whole process, so nothing else may run beside this.
[CollectionDefinition(nameof(AllocationTests), DisableParallelization = true)]
[Collection(nameof(AllocationTests))]
public sealed class AllocationTests
{
    [Fact]
    public async Task ReadAsync_SteadyFile_AllocatesLittle()
    {
        using var clips = new Clips();
        // At this rate nobody waits for the clock, and the file is read as fast as it comes.
        await using var source = FrameSources.Create("file:" + clips.Make("a.mp4", seconds: 20), new() { KeepAll = true, Rate = new(4_000, 1), Loop = false });
        await source.StartAsync(default);
        await ReadAsync(source, 500);

        var before = GC.GetTotalAllocatedBytes(precise: true);
        await ReadAsync(source, 2000);
        var each = (GC.GetTotalAllocatedBytes(precise: true) - before) / 2000.0;

        TestContext.Current.TestOutputHelper?.WriteLine($"{each:0} bytes a picture");
        Assert.InRange(each, 0, 2000);
    }

    private static async Task ReadAsync(IFrameSource source, int count)
    {
        for (var i = 0; i < count; i++)
            (await source.ReadAsync(default))!.Frame.Dispose();
    }
}
