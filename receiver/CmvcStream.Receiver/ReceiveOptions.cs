using CmvcStream.Core.Media;
using CmvcStream.Receiver.Networks;

namespace CmvcStream.Receiver;

/// <summary>What `./cmvc receive` was asked to do.</summary>
public sealed record ReceiveOptions(Uri Listen)
{
    /// <summary>Address of the viewer page; null: none.</summary>
    public string? View { get; init; }

    /// <summary>Sinks, for example "y4m:out.y4m".</summary>
    public IReadOnlyList<string> Out { get; init; } = [];

    /// <summary>Presented frames a second.</summary>
    public FrameRate Fps { get; init; } = FrameRate.PerSecond(30);

    public string? StatsFile { get; init; }

    /// <summary>Extrapolate rather than wait for the next keyframe.</summary>
    public bool LowLatency { get; init; }

    /// <summary>End when the first sender has left and everything has been presented.</summary>
    public bool Once { get; init; }

    /// <summary>Which networks regenerate.</summary>
    public NetworkOptions Networks { get; init; } = new();

    public MediaTime? For { get; init; }

    public string? Token { get; init; }

    /// <summary>File of the certificate for https: (PEM, or PFX with its key). Null: one is made for this run.</summary>
    public string? Certificate { get; init; }

    /// <summary>File of the certificate's private key (PEM). Null: it is in <see cref="Certificate"/>.</summary>
    public string? Key { get; init; }
}
