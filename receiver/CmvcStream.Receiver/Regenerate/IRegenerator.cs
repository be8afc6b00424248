using CmvcStream.Core.Media;

namespace CmvcStream.Receiver.Regenerate;

/// <summary>Makes the picture of a source time from what has arrived, and says what it is.</summary>
internal interface IRegenerator : IDisposable
{
    /// <summary>The picture to show for a source time; the caller owns a reference to it. Never waits: what is missing is held.</summary>
    (VideoFrame Frame, Provenance Provenance) Regenerate(MediaTime time);
}
