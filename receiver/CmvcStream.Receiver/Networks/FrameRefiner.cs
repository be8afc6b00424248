using CmvcStream.Core.Media;
using CmvcStream.Core.Motion;

namespace CmvcStream.Receiver.Networks;

/// <summary>
/// Makes of an interpolated picture one that is nearer to the truth: sees the mix, and each keyframe moved to its time. One thread at a time.
/// </summary>
internal sealed class FrameRefiner(PixelSize size, NetworkLadder network) : IDisposable
{
    /// <summary>Planes that go in: the mix, the first and the second keyframe moved, the place between them, and the gap.</summary>
    public const int Inputs = 3 * PackedPicture.Planes + 2;

    /// <summary>Seconds between keyframes that the last plane is full at.</summary>
    private const double FullGap = 2;

    private readonly PackedPicture _packed = new(size);
    private readonly VideoFrame _first = VideoFrame.Allocate(size), _second = VideoFrame.Allocate(size);

    /// <summary>The network and what runs it, for people; null once none runs.</summary>
    public string? Network => network.Description;

    /// <summary>What a picture may take: two fifths of a core at the presentation rate.</summary>
    public static TimeSpan Budget(FrameRate fps) => TimeSpan.FromSeconds(0.4 / fps.Hertz);

    /// <summary>How the planes of time are filled.</summary>
    /// <param name="t">Place between the keyframes, 0 to 1.</param>
    /// <param name="gap">Between the keyframes.</param>
    public static (byte Place, byte Gap) Times(float t, MediaTime gap) => ((byte)Math.Round(255 * t), (byte)Math.Round(255 * Math.Min(1, gap.Seconds / FullGap)));

    /// <summary>Refines, in place, the picture that was interpolated last.</summary>
    /// <returns>False: no network has run; the picture is as it was.</returns>
    public bool Refine(FrameInterpolator interpolator, float t, MediaTime gap, VideoFrame picture)
    {
        if (network.Current is null || interpolator.IsCut)
            return false;
        interpolator.Moved(_first, _second);
        return network.Run((Refiner: this, picture, Times(t, gap)), static (binding, on) => on.Refiner.Fill(binding.InputBytes("x"), on.picture, on.Item3),
            static (binding, on) => on.Refiner._packed.Unpack(binding.OutputBytes("y"), on.picture));
    }

    public void Dispose() => network.Dispose();

    private void Fill(Span<byte> x, VideoFrame mix, (byte Place, byte Gap) times)
    {
        var area = _packed.Area;
        _packed.Pack(mix, x);
        _packed.Pack(_first, x[(PackedPicture.Planes * area)..]);
        _packed.Pack(_second, x[(2 * PackedPicture.Planes * area)..]);
        x.Slice(3 * PackedPicture.Planes * area, area).Fill(times.Place);
        x.Slice((3 * PackedPicture.Planes + 1) * area, area).Fill(times.Gap);
    }
}
