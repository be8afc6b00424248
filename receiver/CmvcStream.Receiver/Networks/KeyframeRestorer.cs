using CmvcStream.Core.Media;

namespace CmvcStream.Receiver.Networks;

/// <summary>
/// Makes of a decoded keyframe, at presentation size and not sharpened, one that is nearer to the truth. What comes out is only shown: the
/// decoder predicts later keyframes from its own. One thread at a time.
/// </summary>
internal sealed class KeyframeRestorer(PixelSize size, NetworkLadder network) : IDisposable
{
    /// <summary>Planes that go in: the picture, its coded scale, and its quantizer.</summary>
    public const int Inputs = PackedPicture.Planes + 2;

    /// <summary>Two fifths of a core at five keyframes a second.</summary>
    public static readonly TimeSpan Budget = TimeSpan.FromMilliseconds(80);

    private readonly PackedPicture _packed = new(size);

    /// <summary>A network runs; once none does, keyframes come sharpened again.</summary>
    public bool Active => network.Current is not null;

    /// <summary>The network and what runs it, for people; null once none runs.</summary>
    public string? Network => network.Description;

    /// <summary>Restores a picture in place.</summary>
    /// <param name="picture">Of the size given at construction.</param>
    /// <param name="coded">The size at which it was coded.</param>
    /// <param name="quantizer">base_q_idx, 0 to 255.</param>
    /// <returns>False: no network has run; the picture is as it was.</returns>
    public bool Restore(VideoFrame picture, PixelSize coded, int quantizer)
    {
        var scale = (byte)Math.Clamp(Math.Round(255.0 * coded.Width / size.Width), 0, 255);
        return network.Run((_packed, picture, scale, (byte)quantizer), static (binding, on) =>
        {
            var (packed, picture, scale, quantizer) = on;
            var x = binding.InputBytes("x");
            packed.Pack(picture, x);
            x.Slice(PackedPicture.Planes * packed.Area, packed.Area).Fill(scale);
            x.Slice((PackedPicture.Planes + 1) * packed.Area, packed.Area).Fill(quantizer);
        }, static (binding, on) => on._packed.Unpack(binding.OutputBytes("y"), on.picture));
    }

    public void Dispose() => network.Dispose();
}
