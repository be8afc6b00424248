using CmvcStream.Core.Media;
using CmvcStream.Sender.Capture;
using Xunit;

namespace CmvcStream.Sender.Tests.Capture;

public sealed class LiveInputTests
{
    private static readonly CaptureOptions Options = new();

    [Theory]
    [InlineData("", "/dev/video0")]
    [InlineData("2", "/dev/video2")]
    [InlineData("/dev/v4l/by-id/usb-cam", "/dev/v4l/by-id/usb-cam")]
    public void Camera_Linux_ReadsVideo4Linux(string target, string device) => Assert.Equal(
        ["-f", "v4l2", "-framerate", "15", "-video_size", "640x360", "-i", device],
        LiveInput.Camera(target, Options, CapturePlatform.Linux).Arguments);

    [Fact]
    public void Camera_LinuxLargeBox_AsksForTheBox() => Assert.Contains(
        "1280x720", LiveInput.Camera("", Options with { Box = new(1280, 720) }, CapturePlatform.Linux).Arguments);

    [Fact]
    public void Camera_Windows_ReadsDirectShowByName() => Assert.Equal(
        ["-f", "dshow", "-rtbufsize", "64M", "-i", "video=Integrated Camera"],
        LiveInput.Camera("Integrated Camera", Options, CapturePlatform.Windows).Arguments);

    [Fact]
    public void Camera_WindowsWithoutName_SaysWhereNamesAre() => Assert.Contains(
        "./cmvc devices", Assert.Throws<FormatException>(() => LiveInput.Camera("", Options, CapturePlatform.Windows)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("", "default:none")]
    [InlineData("1", "1:none")]
    public void Camera_MacOS_ReadsAvFoundationWithoutSound(string target, string input) => Assert.Equal(
        ["-f", "avfoundation", "-framerate", "30", "-i", input],
        LiveInput.Camera(target, Options, CapturePlatform.MacOS).Arguments);

    [Theory]
    [InlineData("", ":7", ":7")]
    [InlineData(":1.0", ":7", ":1.0")]
    public void Screen_Linux_GrabsTheDisplay(string target, string display, string grabbed) => Assert.Equal(
        ["-f", "x11grab", "-framerate", "15", "-i", grabbed],
        LiveInput.Screen(target, Options, CapturePlatform.Linux, display).Arguments);

    [Fact]
    public void Screen_LinuxWithoutDisplay_SaysWhatIsMissing() => Assert.Contains(
        "DISPLAY", Assert.Throws<FormatException>(() => LiveInput.Screen("", Options, CapturePlatform.Linux, null)).Message, StringComparison.Ordinal);

    [Fact]
    public void Screen_Windows_GrabsTheDesktop() => Assert.Equal(
        ["-f", "gdigrab", "-framerate", "15", "-i", "desktop"],
        LiveInput.Screen("", Options, CapturePlatform.Windows, null).Arguments);

    [Fact]
    public void Screen_MacOS_GrabsTheFirstScreen() => Assert.Equal(
        ["-f", "avfoundation", "-framerate", "30", "-capture_cursor", "1", "-i", "Capture screen 0:none"],
        LiveInput.Screen("", Options, CapturePlatform.MacOS, null).Arguments);

    [Fact]
    public void Rtsp_Address_IsReadOverTcp() => Assert.Equal(
        ["-rtsp_transport", "tcp"], LiveInput.Rtsp("rtsp://camera.example/stream").Arguments.Take(2));

    [Fact]
    public void Rtsp_Password_IsTakenOutOfMessages() => Assert.Equal(
        "rtsp://camera.example/s: refused",
        LiveInput.Rtsp("rtsp://me:secret@camera.example/s").Redact("rtsp://me:secret@camera.example/s: refused"));

    [Theory]
    [InlineData("nowhere", "synthetic:NAME")]
    [InlineData("clip.mp4", "file:clip.mp4")]
    [InlineData("http://host/clip.mp4", "synthetic:NAME")]
    [InlineData("file:", "file:clip.mp4")]
    [InlineData("synthetic:moon", "synthetic:street or synthetic:drone")]
    [InlineData("rtsp:camera", "rtsp://camera.example")]
    public void Create_NoSource_SaysWhatToWrite(string uri, string advice) => Assert.Contains(
        advice, Assert.Throws<FormatException>(() => FrameSources.Create(uri, Options)).Message, StringComparison.Ordinal);

    [Fact]
    public async Task Create_RtspWithPassword_IsNamedWithoutIt()
    {
        await using IFrameSource source = FrameSources.Create("rtsp://me:secret@camera.example/s", Options);

        Assert.Equal("rtsp://camera.example/s", source.Name);
    }
}
