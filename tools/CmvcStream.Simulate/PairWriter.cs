using System.Text;
using CmvcStream.Codecs.Av1;
using CmvcStream.Core.Media;

namespace CmvcStream.Simulate;

/// <summary>
/// Writes what a restoring network is trained on: keyframes as the receiver decodes them, at presentation size and not sharpened, each with
/// its truth. The file begins with the line "cmvc-pairs 1 WIDTH HEIGHT"; a pair is two bytes (coded width over presentation width in
/// 1/255, quantizer index) and two pictures, planes Y, U and V without padding.
/// </summary>
internal sealed class PairWriter : IDisposable
{
    private readonly PixelSize _size;
    private readonly FileStream _file;
    private readonly KeyframeReconstructor _reconstructor;

    public PairWriter(string path, PixelSize size)
    {
        _size = size;
        _file = File.Create(path);
        _reconstructor = new(size, keep: 2);
        _file.Write(Encoding.ASCII.GetBytes($"cmvc-pairs 1 {size.Width} {size.Height}\n"));
    }

    /// <summary>Takes the next keyframe of the chain.</summary>
    public void Write(ReadOnlySpan<byte> data, VideoFrame truth)
    {
        using var picture = _reconstructor.Reconstruct(data, out var coded, sharpened: false);
        _file.WriteByte((byte)Math.Round(255.0 * coded.Size.Width / _size.Width));
        _file.WriteByte((byte)_reconstructor.Quantizer);
        Planes(_file, picture);
        Planes(_file, truth);
    }

    public void Dispose()
    {
        _file.Dispose();
        _reconstructor.Dispose();
    }

    internal static void Planes(Stream file, VideoFrame frame)
    {
        foreach (var plane in (ReadOnlySpan<Plane>)[frame.Y, frame.U, frame.V])
        {
            for (var y = 0; y < plane.Height; y++)
                file.Write(plane.Row(y));
        }
    }
}
