using CmvcStream.Core.Media;
using CmvcStream.Evaluate.Live;

namespace CmvcStream.Evaluate.Tests.Live;

public sealed class ShownVideoTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("cmvc-live").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Grid_PicturesNowAndThen_HoldsTheNewestAndNothingBeforeTheFirst() =>
        Assert.Equal([-1, -1, 0, 0, 1, 1], ShownVideo.Grid([new(0.1334, 9), new(0.266, 10)], 15, 6));

    [Fact]
    public void Grid_PicturesOutOfOrder_GoesBySourceTime() => Assert.Equal([1, 0, 2], ShownVideo.Grid([new(0.1, 1), new(0, 2), new(0.2, 3)], 10, 3));

    [Fact]
    public async Task WriteAsync_TwoPictures_BlackThenEachInItsTime()
    {
        var scene = new LiveScene("clip", new(4, 2), 10, 0.4, Bitrate.Parse("8kbps"), [], _folder);
        var raw = scene.PathOf("raw");
        await File.WriteAllBytesAsync(raw, [.. Enumerable.Repeat((byte)50, 12), .. Enumerable.Repeat((byte)60, 12)]);

        await ShownVideo.WriteAsync(scene.PathOf("shown.y4m"), scene, [new(0.1, 1), new(0.3, 1)], raw, default);

        var bytes = await File.ReadAllBytesAsync(scene.PathOf("shown.y4m"));
        var frames = bytes[(Array.IndexOf(bytes, (byte)'\n') + 1)..].Chunk(6 + 12).ToArray();
        Assert.Equal([16, 50, 50, 60], frames.Select(f => (int)f[6]));
        Assert.Equal([128, 50, 50, 60], frames.Select(f => (int)f[^1]));
        Assert.StartsWith("YUV4MPEG2 W4 H2 F10:1 ", System.Text.Encoding.ASCII.GetString(bytes));
    }

    [Fact]
    public async Task WriteAsync_NothingShown_IsBlackThroughout()
    {
        var scene = new LiveScene("clip", new(4, 2), 10, 0.2, Bitrate.Parse("8kbps"), [], _folder);
        await ShownVideo.WriteAsync(scene.PathOf("shown.y4m"), scene, [], scene.PathOf("missing"), default);
        var bytes = await File.ReadAllBytesAsync(scene.PathOf("shown.y4m"));
        Assert.Equal([16, 16], bytes[(Array.IndexOf(bytes, (byte)'\n') + 1)..].Chunk(18).Select(f => (int)f[6]));
    }
}
