using CmvcStream.Core.Control;
using CmvcStream.Core.Media;
using CmvcStream.Transport;

namespace CmvcStream.Sender;

/// <summary>What `./cmvc send` was asked to do.</summary>
public sealed record SendOptions(string Source, Uri To)
{
    /// <summary>Wire bytes, headers included, that may leave a second at most; null: what the link carries.</summary>
    public Bitrate? MaxRate { get; init; }

    /// <summary>Which mode: chosen by what the link carries, or one of them.</summary>
    public ModeChoice Mode { get; init; }

    /// <summary>Bounding box of the coded picture.</summary>
    public PixelSize Size { get; init; } = new(480, 270);

    public FrameRate Fps { get; init; } = FrameRate.PerSecond(15);

    /// <summary>Play a file again and again.</summary>
    public bool Loop { get; init; }

    public MediaTime? For { get; init; }

    public string? StatsFile { get; init; }

    public string? Token { get; init; }

    /// <summary>The only certificate to accept over https:. Null: what the system trusts.</summary>
    public CertificateFingerprint? Trust { get; init; }
}
