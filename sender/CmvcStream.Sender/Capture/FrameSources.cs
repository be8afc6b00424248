using CmvcStream.Core.Media;

namespace CmvcStream.Sender.Capture;

/// <summary>Makes the source that a URI names.</summary>
public static class FrameSources
{
    /// <summary>What may be written after --source; for help texts.</summary>
    public const string Forms = "camera:/dev/video0, file:clip.mp4, rtsp://..., screen: or synthetic:NAME";

    /// <summary>The source of a URI, not yet started.</summary>
    /// <exception cref="FormatException">The URI names no source; the message says what is expected.</exception>
    public static IFrameSource Create(string uri, CaptureOptions options)
    {
        ArgumentNullException.ThrowIfNull(uri);
        ArgumentNullException.ThrowIfNull(options);
        var colon = uri.IndexOf(':', StringComparison.Ordinal);
        var target = uri[(colon + 1)..];
        switch (colon < 0 ? "" : uri[..colon].ToLowerInvariant())
        {
            case "file":
                return new FileFrameSource(target.Length > 0 ? target : throw Unknown(uri), options);
            case "synthetic":
                return new SyntheticFrameSource(target, options);
            case "camera":
                return new LiveFrameSource(uri, LiveInput.Camera(target, options, CapturePlatforms.Current), options);
            case "screen":
                var display = Environment.GetEnvironmentVariable("DISPLAY");
                return new LiveFrameSource(uri, LiveInput.Screen(target, options, CapturePlatforms.Current, display), options);
            case "rtsp" or "rtsps":
                var stream = LiveInput.Rtsp(uri);
                return new LiveFrameSource(stream.Redact(uri), stream, options);
            default:
                throw Unknown(uri);
        }
    }

    private static FormatException Unknown(string uri) => new(
        File.Exists(uri) || uri.Length > 0 && Path.HasExtension(uri) && !uri.Contains(':', StringComparison.Ordinal)
            ? $"'{uri}' is no source; for a file write file:{uri}"
            : $"'{uri}' is no source; write {Forms}");
}
