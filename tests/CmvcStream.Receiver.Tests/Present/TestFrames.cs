using CmvcStream.Core.Media;

namespace CmvcStream.Receiver.Tests.Present;

/// <summary>Pictures for tests of sinks.</summary>
internal static class TestFrames
{
    public static readonly PixelSize Size = new(64, 48);
    public static readonly FrameRate Fps = FrameRate.PerSecond(30);

    /// <summary>A grey picture whose luma tells its number.</summary>
    public static RegeneratedFrame Make(long number, Provenance provenance = Provenance.Transmitted, PixelSize? size = null, FramePool? pool = null)
    {
        var frame = pool?.Rent() ?? VideoFrame.Allocate(size ?? Size);
        frame.Fill(Luma(number));
        frame.Pts = MediaTime.FromTicks(number, Fps);
        return new(frame, provenance, number, new(1000 + MediaTime.FromTicks(number, Fps).Microseconds));
    }

    public static byte Luma(long number) => (byte)(16 + number * 3 % 200);
}

/// <summary>A folder that is gone after the test.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("cmvc-test-").FullName;

    public string File(string name) => System.IO.Path.Combine(Path, name);

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
