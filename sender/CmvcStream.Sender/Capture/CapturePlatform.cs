namespace CmvcStream.Sender.Capture;

/// <summary>The operating system decides by which of ffmpeg's devices cameras and screens are read.</summary>
public enum CapturePlatform
{
    Linux,
    Windows,
    MacOS,
}

public static class CapturePlatforms
{
    public static CapturePlatform Current =>
        OperatingSystem.IsWindows() ? CapturePlatform.Windows
        : OperatingSystem.IsMacOS() ? CapturePlatform.MacOS
        : CapturePlatform.Linux;
}
