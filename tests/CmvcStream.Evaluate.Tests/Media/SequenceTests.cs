using CmvcStream.Core.Media;
using CmvcStream.Evaluate.Media;

namespace CmvcStream.Evaluate.Tests.Media;

public sealed class SequenceTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("cmvc-sequence-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task Make_ShortClip_IsPlayedToAndFroWithoutACut()
    {
        // A picture a tenth of a second, brighter from each to the next.
        var clip = Path.Combine(_folder.FullName, "ramp.mp4");
        await ChildProcess.RunAsync("ffmpeg", ["-v", "error", "-f", "lavfi", "-i", "color=black:s=64x48:r=10:d=1,format=gray,geq=lum='20*(N+1)'", "-c:v", "libx264", "-crf", "5", "-pix_fmt", "yuv420p", clip]);

        var sequence = await Sequence.MakeAsync(clip, 3, new(480, 270), _folder.FullName, default);

        var lumas = new List<int>();
        await foreach (var frame in FrameReader.ReadAsync(sequence.File, sequence.Size, [.. Enumerable.Range(0, 40)], "area", default))
            lumas.Add((int)Math.Round(frame.Average(b => b) / 20 * 1.0));
        Assert.Equal(("ramp", new PixelSize(64, 48)), (sequence.Name, sequence.Size));
        Assert.Equal(30, lumas.Count);
        // There, back and there again: never further from one picture to the next than a step.
        Assert.All(lumas.Zip(lumas.Skip(1)), pair => Assert.InRange(Math.Abs(pair.First - pair.Second), 0, 2));
        Assert.True(lumas[9] > 8 && lumas[19] < 3 && lumas[29] > 8, string.Join(' ', lumas));
    }

    [Fact]
    public async Task Make_LongClip_IsCut()
    {
        var clip = Path.Combine(_folder.FullName, "long.mp4");
        await ChildProcess.RunAsync("ffmpeg", ["-v", "error", "-f", "lavfi", "-i", "testsrc2=s=64x48:r=10:d=3", "-pix_fmt", "yuv420p", clip]);
        var sequence = await Sequence.MakeAsync(clip, 2, new(480, 270), _folder.FullName, default);
        Assert.Equal(2, (await VideoFile.ProbeAsync(sequence.File, default)).Seconds, .11);
    }

    [Fact]
    public async Task Make_SyntheticScene_IsDrawn()
    {
        var sequence = await Sequence.MakeAsync("synthetic:street", 1, new(128, 72), _folder.FullName, default);
        Assert.Equal(("synthetic-street", new PixelSize(128, 72)), (sequence.Name, sequence.Size));
        Assert.Equal(1, (await VideoFile.ProbeAsync(sequence.File, default)).Seconds, .05);
    }

    [Theory]
    [InlineData("synthetic:moon", "there is no scene 'moon'")]
    [InlineData("none.mp4", "none.mp4: there is no such file")]
    public async Task Make_WhatIsNotThere_SaysSo(string clip, string message) =>
        Assert.Contains(message, (await Assert.ThrowsAsync<EvaluateException>(() => Sequence.MakeAsync(clip, 2, new(480, 270), _folder.FullName, default))).Message);

    [Fact]
    public async Task Probe_FileThatIsNoVideo_SaysSo()
    {
        var path = Path.Combine(_folder.FullName, "text.mp4");
        await File.WriteAllTextAsync(path, "no video");
        Assert.Contains("text.mp4 is no video", (await Assert.ThrowsAsync<EvaluateException>(() => VideoFile.ProbeAsync(path, default))).Message);
    }

    [Theory]
    [InlineData(1280, 720, 480, 270)]
    [InlineData(640, 480, 360, 270)]
    [InlineData(360, 640, 152, 270)]
    [InlineData(320, 200, 320, 200)]
    [InlineData(321, 201, 320, 200)]
    [InlineData(854, 480, 480, 270)]
    public void Within_Box_IsTheSizeThatTheSenderTakes(int width, int height, int expectedWidth, int expectedHeight) =>
        Assert.Equal(new PixelSize(expectedWidth, expectedHeight), new VideoFile("", new(width, height), 1).Within(new(480, 270)));
}
