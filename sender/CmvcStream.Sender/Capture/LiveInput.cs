using System.Globalization;
using CmvcStream.Core.Media;

namespace CmvcStream.Sender.Capture;

/// <summary>What ffmpeg is told to open for a camera, a screen or a stream, and what to advise when that fails.</summary>
/// <param name="Arguments">Input options and "-i ...".</param>
/// <param name="Advice">What the user can do when it does not open; a sentence.</param>
/// <param name="Secret">Text that must not appear in messages (a user and password), or null.</param>
public sealed record LiveInput(IReadOnlyList<string> Arguments, string Advice, string? Secret = null)
{
    private const string CameraAdvice = "./cmvc devices lists the cameras; one that another program uses cannot be opened.";

    /// <summary>A camera: v4l2 on Linux (a path or a number), DirectShow on Windows (a name), AVFoundation on macOS (a name or a number).</summary>
    /// <exception cref="FormatException">The target is empty where one is needed.</exception>
    public static LiveInput Camera(string target, CaptureOptions options, CapturePlatform platform)
    {
        ArgumentNullException.ThrowIfNull(target);
        ArgumentNullException.ThrowIfNull(options);
        return platform switch
        {
            CapturePlatform.Linux => new(
            [
                // The driver takes the nearest size and rate that it has. A camera's default is often its largest picture, at 5 a second.
                "-f", "v4l2", "-framerate", Text(options.Rate), "-video_size", CameraSize(options.Box).ToString(), "-i", LinuxCamera(target),
            ], CameraAdvice),
            CapturePlatform.Windows => new(
                ["-f", "dshow", "-rtbufsize", "64M", "-i", "video=" + (target.Length > 0 ? target : throw NoCameraNamed())], CameraAdvice),
            // AVFoundation refuses rates that the camera does not name; 30 is what they all name.
            _ => new(["-f", "avfoundation", "-framerate", "30", "-i", (target.Length > 0 ? target : "default") + ":none"], CameraAdvice),
        };
    }

    /// <summary>The whole screen: x11grab on Linux (target: a display such as ":0"), GDI on Windows, AVFoundation on macOS (target: its number).</summary>
    /// <param name="target">Which screen; empty for the usual one.</param>
    /// <param name="options">Rate.</param>
    /// <param name="platform">Which system.</param>
    /// <param name="display">The value of DISPLAY; used on Linux alone.</param>
    /// <exception cref="FormatException">There is no X display.</exception>
    public static LiveInput Screen(string target, CaptureOptions options, CapturePlatform platform, string? display)
    {
        ArgumentNullException.ThrowIfNull(target);
        ArgumentNullException.ThrowIfNull(options);
        switch (platform)
        {
            case CapturePlatform.Linux:
                var name = target.Length > 0 ? target : display;
                if (string.IsNullOrEmpty(name))
                    throw new FormatException("screen: needs an X display, and DISPLAY is not set; name one, for example screen::0");
                return new(["-f", "x11grab", "-framerate", Text(options.Rate), "-i", name], $"Is there an X display {name} that you may read?");
            case CapturePlatform.Windows:
                return new(["-f", "gdigrab", "-framerate", Text(options.Rate), "-i", "desktop"], "The desktop must be unlocked.");
            default:
                return new(
                    ["-f", "avfoundation", "-framerate", "30", "-capture_cursor", "1", "-i", $"Capture screen {(target.Length > 0 ? target : "0")}:none"],
                    "Allow screen recording for the terminal in System Settings, Privacy and Security.");
        }
    }

    /// <summary>An RTSP stream, over TCP: what arrives has no holes.</summary>
    /// <exception cref="FormatException">The address is none.</exception>
    public static LiveInput Rtsp(string address)
    {
        if (!Uri.TryCreate(address, UriKind.Absolute, out var uri) || uri.Host.Length == 0)
            throw new FormatException("that is no RTSP address; write for example rtsp://camera.example:554/stream");
        return new(
            ["-rtsp_transport", "tcp", "-protocol_whitelist", "rtsp,rtp,tcp,tls,udp", "-i", address],
            "Check address, user and password, and that the camera can be reached from here.",
            uri.UserInfo.Length > 0 ? uri.UserInfo + "@" : null);
    }

    /// <summary>A text with the secret taken out.</summary>
    public string Redact(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return Secret is { } secret ? text.Replace(secret, "", StringComparison.Ordinal) : text;
    }

    private static string LinuxCamera(string target) =>
        target.Length == 0 ? "/dev/video0" : target.All(char.IsAsciiDigit) ? "/dev/video" + target : target;

    // Somewhat more than the box, since averaging down makes a cleaner picture, and 640x360 is a mode of nearly every camera.
    private static PixelSize CameraSize(PixelSize box) => box.Width <= 640 && box.Height <= 360 ? new(640, 360) : box;

    private static string Text(FrameRate rate) =>
        rate.Scale == 1 ? rate.Rate.ToString(CultureInfo.InvariantCulture) : string.Create(CultureInfo.InvariantCulture, $"{rate.Rate}/{rate.Scale}");

    private static FormatException NoCameraNamed() => new("camera: needs a camera's name here; ./cmvc devices lists them");
}
