using CmvcStream.Sender.Capture;
using Xunit;

namespace CmvcStream.Sender.Tests.Capture;

public sealed class CameraDevicesTests
{
    [Fact]
    public void OfLinux_Nodes_AreNamedInOrder()
    {
        using var clips = new Clips();
        string dev = clips.PathOf("dev"), classes = clips.PathOf("class");
        Directory.CreateDirectory(dev);
        foreach (var (node, name, index) in new[] { ("video10", "Desk camera\n", "0\n"), ("video2", "Webcam: HD\n", "0\n"), ("video3", "Webcam: HD\n", "1\n") })
        {
            File.WriteAllText(Path.Combine(dev, node), "");
            Directory.CreateDirectory(Path.Combine(classes, node));
            File.WriteAllText(Path.Combine(classes, node, "name"), name);
            File.WriteAllText(Path.Combine(classes, node, "index"), index);
        }

        File.WriteAllText(Path.Combine(dev, "video-other"), "");

        Assert.Equal(
            [
                new($"camera:{dev}/video2", "Webcam: HD"),
                new($"camera:{dev}/video3", "Webcam: HD (a further node; often without pictures)"),
                new($"camera:{dev}/video10", "Desk camera"),
            ],
            CameraDevices.OfLinux(dev, classes));
    }

    [Fact]
    public void Parse_DirectShow_ListsCamerasAlone()
    {
        const string Said = """
            [dshow @ 000001d2c4b0e0c0] "Integrated Camera" (video)
            [dshow @ 000001d2c4b0e0c0]   Alternative name "@device_pnp_\\?\usb#vid_04f2&pid_b604#6&1#{65e8773d}\global"
            [dshow @ 000001d2c4b0e0c0] "Microphone (Realtek Audio)" (audio)
            [dshow @ 000001d2c4b0e0c0]   Alternative name "@device_cm_{33D9A762}\wave_{5F4C}"
            dummy: Immediate exit requested
            """;

        Assert.Equal([new("camera:Integrated Camera", "Integrated Camera")], CameraDevices.Parse(Said, CapturePlatform.Windows));
    }

    [Fact]
    public void Parse_DirectShowOfOldFfmpeg_ListsCamerasAlone()
    {
        const string Said = """
            [dshow @ 0000020bd3f4e900] DirectShow video devices (some may be both video and audio devices)
            [dshow @ 0000020bd3f4e900]  "USB2.0 HD UVC WebCam"
            [dshow @ 0000020bd3f4e900]     Alternative name "@device_pnp_\\?\usb#vid_13d3"
            [dshow @ 0000020bd3f4e900] DirectShow audio devices
            [dshow @ 0000020bd3f4e900]  "Microphone Array"
            """;

        Assert.Equal([new("camera:USB2.0 HD UVC WebCam", "USB2.0 HD UVC WebCam")], CameraDevices.Parse(Said, CapturePlatform.Windows));
    }

    [Fact]
    public void Parse_AvFoundation_ListsCamerasWithoutScreens()
    {
        const string Said = """
            [AVFoundation indev @ 0x7f8f5bf04240] AVFoundation video devices:
            [AVFoundation indev @ 0x7f8f5bf04240] [0] FaceTime HD Camera
            [AVFoundation indev @ 0x7f8f5bf04240] [1] Capture screen 0
            [AVFoundation indev @ 0x7f8f5bf04240] AVFoundation audio devices:
            [AVFoundation indev @ 0x7f8f5bf04240] [0] Built-in Microphone
            """;

        Assert.Equal([new("camera:0", "FaceTime HD Camera")], CameraDevices.Parse(Said, CapturePlatform.MacOS));
    }

    [Fact]
    public async Task WriteAsync_NoCamera_SaysWhatElseThereIs()
    {
        using StringWriter output = new(), error = new();

        Assert.Equal(1, await CameraDevices.WriteAsync([], output, error));
        Assert.Empty(output.ToString());
        Assert.Contains("no camera found", error.ToString(), StringComparison.Ordinal);
        Assert.Contains("synthetic:street", error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task WriteAsync_Cameras_AreWrittenOneALine()
    {
        using StringWriter output = new(), error = new();

        Assert.Equal(0, await CameraDevices.WriteAsync([new("camera:/dev/video0", "A"), new("camera:/dev/video10", "B")], output, error));
        Assert.Equal("camera:/dev/video0   A\ncamera:/dev/video10  B\n", output.ToString().ReplaceLineEndings("\n"));
    }
}
