using CmvcStream.Core.Media;
using CmvcStream.Sender.Capture;
using Xunit;

namespace CmvcStream.Sender.Tests.Capture;

public sealed class FfmpegArgumentsTests
{
    private static readonly CaptureOptions Options = new();

    [Fact]
    public void Build_AnyInput_WritesYuv4mpegToStandardOutput()
    {
        var arguments = FfmpegArguments.Build(["-i", "x"], Options);

        Assert.Equal(["-pix_fmt", "yuv420p", "-f", "yuv4mpegpipe", "pipe:1"], arguments[^5..]);
    }

    [Fact]
    public void Build_FractionalRate_IsHandedOnAsFraction()
    {
        var filter = Filter(FfmpegArguments.Build(["-i", "x"], Options with { Rate = new(30000, 1001) }));

        Assert.StartsWith("fps=30000/1001,", filter, StringComparison.Ordinal);
    }

    [Fact]
    public void Build_ExactSize_ScalesToIt()
    {
        var filter = Filter(FfmpegArguments.Build(["-i", "x"], Options, new PixelSize(320, 240)));

        Assert.Contains("scale=w='320':h='240':flags=area:out_color_matrix=bt601:out_range=tv", filter, StringComparison.Ordinal);
    }

    [Fact]
    public void Build_Repeat_LoopsThatManyPictures()
    {
        var filter = Filter(FfmpegArguments.Build(["-i", "x"], Options, repeat: 7));

        Assert.EndsWith(",loop=loop=-1:size=7,setpts=N", filter, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("-rf.mp4")]
    [InlineData("a b:c%d'\".mp4")]
    public void FileInput_OddName_IsOneArgumentWithPrefix(string name) =>
        Assert.Equal(["-protocol_whitelist", "file", "-i", "file:" + name], FfmpegArguments.FileInput(name));

    private static string Filter(string[] arguments) => arguments[Array.IndexOf(arguments, "-vf") + 1];
}
