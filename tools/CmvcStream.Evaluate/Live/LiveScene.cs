using CmvcStream.Core.Media;

namespace CmvcStream.Evaluate.Live;

/// <summary>What is carried live, over which link.</summary>
/// <param name="Source">A video file.</param>
/// <param name="Size">Of the captured picture: even sides, the file's aspect.</param>
/// <param name="Fps">Captured frames a second.</param>
/// <param name="Seconds">Its length.</param>
/// <param name="Rate">Of the link, by which peers choose their settings.</param>
/// <param name="ThrottleArguments">The link, as cmvc-throttle is told: --rate 8kbps --delay 100ms.</param>
/// <param name="Folder">Takes what was shown, and logs. Of this run alone.</param>
internal sealed record LiveScene(string Source, PixelSize Size, int Fps, double Seconds, Bitrate Rate, string[] ThrottleArguments, string Folder)
{
    /// <summary>How long after the source's end pictures may still arrive, so that a late one is late and not lost.</summary>
    public double DrainSeconds { get; init; } = 10;

    /// <summary>Frames that are captured.</summary>
    public int Frames => (int)Math.Round(Seconds * Fps);

    /// <summary>Whether packets get lost on the link by themselves; what a full queue drops is the peer's own doing.</summary>
    public bool IsLossy => ThrottleArguments.Any(a => a is "--loss" or "--outage" or "--preset" or "--trace" or "--reorder");

    public string PathOf(string file) => Path.Combine(Folder, file);
}

/// <summary>Something that carries video live from one end of a link to the other.</summary>
internal interface ILivePeer
{
    string Name { get; }

    /// <summary>Carries a scene. That nothing is shown is a result, with its reason.</summary>
    /// <exception cref="EvaluateException">A program that the evaluation itself needs is missing or fails.</exception>
    Task<LiveRun> RunAsync(LiveScene scene, CancellationToken stop);
}

/// <summary>A new picture on the receiving end. Both times begin when the source's first frame is captured, which is when the peer sets out to connect.</summary>
/// <param name="SourceSeconds">When it was captured.</param>
/// <param name="WallSeconds">When it was shown.</param>
internal readonly record struct LivePicture(double SourceSeconds, double WallSeconds);

/// <summary>What a peer made of a scene.</summary>
/// <param name="Name">The peer.</param>
/// <param name="Settings">What it was told, in words.</param>
/// <param name="Commands">What repeats the run.</param>
/// <param name="Pictures">Each new picture, in the order in which they were shown.</param>
/// <param name="ShownFile">
/// y4m at the scene's rate and size: frame n is the newest of the pictures captured by n / fps, black before the first. Null where the peer cannot run here at all.
/// </param>
/// <param name="UpKbps">Wire bytes towards the receiver while the source lasted, kbit/s.</param>
/// <param name="DownKbps">And back.</param>
/// <param name="FailureReason">Why no picture was ever shown; null when one was.</param>
internal sealed record LiveRun(string Name, string Settings, IReadOnlyList<string> Commands, IReadOnlyList<LivePicture> Pictures, string? ShownFile, double UpKbps, double DownKbps, string? FailureReason)
{
    /// <summary>Frames a second of the shown file, where they are not the scene's.</summary>
    public double? ShownFps { get; init; }
}
