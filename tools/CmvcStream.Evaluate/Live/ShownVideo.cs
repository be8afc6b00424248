using System.Text;
using CmvcStream.Core.Media;

namespace CmvcStream.Evaluate.Live;

/// <summary>What was shown, brought to the source's clock.</summary>
internal static class ShownVideo
{
    /// <summary>Times are of different clocks' grain: this much counts as the same moment.</summary>
    private const double Grain = 0.005;

    /// <summary>For each frame of the source's clock the newest picture captured by then; -1: none yet.</summary>
    public static int[] Grid(IReadOnlyList<LivePicture> pictures, int fps, int frames)
    {
        var order = Enumerable.Range(0, pictures.Count).OrderBy(i => pictures[i].SourceSeconds).ToArray();
        var (grid, next) = (new int[frames], 0);
        for (var n = 0; n < frames; n++)
        {
            while (next < order.Length && pictures[order[next]].SourceSeconds <= ((double)n / fps) + Grain)
                next++;
            grid[n] = next == 0 ? -1 : order[next - 1];
        }

        return grid;
    }

    /// <summary>Writes the y4m.</summary>
    /// <param name="path">The file.</param>
    /// <param name="scene">Whose size and clock it has.</param>
    /// <param name="pictures">What was shown.</param>
    /// <param name="raw">Its pixels: planar 4:2:0 at the scene's size, one picture after another in the same order. May be missing where there are none.</param>
    /// <param name="stop">Ends it.</param>
    public static async Task WriteAsync(string path, LiveScene scene, IReadOnlyList<LivePicture> pictures, string raw, CancellationToken stop)
    {
        var picture = new byte[Bytes(scene.Size)];
        await using var source = pictures.Count > 0 ? File.OpenRead(raw) : Stream.Null;
        await using var output = File.Create(path);
        await output.WriteAsync(Encoding.ASCII.GetBytes($"YUV4MPEG2 W{scene.Size.Width} H{scene.Size.Height} F{scene.Fps}:1 Ip A1:1 C420mpeg2\n"), stop);
        var held = -1;
        picture.AsSpan(0, scene.Size.Area).Fill(16);
        picture.AsSpan(scene.Size.Area).Fill(128);
        foreach (var shown in Grid(pictures, scene.Fps, scene.Frames))
        {
            if (shown != held)
            {
                source.Position = (long)shown * picture.Length;
                await source.ReadExactlyAsync(picture, stop);
                held = shown;
            }

            await output.WriteAsync("FRAME\n"u8.ToArray(), stop);
            await output.WriteAsync(picture, stop);
        }
    }

    /// <summary>Of a planar 4:2:0 picture.</summary>
    public static int Bytes(PixelSize size) => size.Area + (2 * size.Chroma.Area);
}
