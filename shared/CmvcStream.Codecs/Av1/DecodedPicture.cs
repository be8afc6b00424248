using System.Buffers.Binary;
using CmvcStream.Core.Media;
using BitOperations = System.Numerics.BitOperations;

namespace CmvcStream.Codecs.Av1;

/// <summary>What a keyframe decoded to, before it was brought to presentation size: both ends must have the same.</summary>
/// <param name="Size">The coded size, in pixels.</param>
/// <param name="Checksum">CRC-32C (RFC 3720, appendix B.4, not inverted at the end) of size and pixels.</param>
public readonly record struct DecodedPicture(PixelSize Size, uint Checksum)
{
    /// <summary>Bits of <see cref="Check"/>: what a varint of two bytes holds. One wrong picture of 16384 passes.</summary>
    public const int CheckBits = 14;

    /// <summary>Describes a picture of the coded size; rows of Y, then U, then V are read, nothing is kept or allocated.</summary>
    public static DecodedPicture Of(VideoFrame picture)
    {
        ArgumentNullException.ThrowIfNull(picture);
        var crc = BitOperations.Crc32C(~0u, (ulong)picture.Size.Width << 32 | (uint)picture.Size.Height);
        crc = Add(crc, picture.Y);
        crc = Add(crc, picture.U);
        crc = Add(crc, picture.V);
        return new(picture.Size, crc);
    }

    /// <summary>What <c>Keyframe.check</c> must be when this is the picture of the keyframe with that index and tick.</summary>
    public uint Check(uint index, uint tick) =>
        BitOperations.Crc32C(Checksum, (ulong)tick << 32 | index) & ((1u << CheckBits) - 1);

    private static uint Add(uint crc, Plane plane)
    {
        for (var y = 0; y < plane.Height; y++)
        {
            ReadOnlySpan<byte> row = plane.Row(y);
            for (; row.Length >= sizeof(ulong); row = row[sizeof(ulong)..])
                crc = BitOperations.Crc32C(crc, BinaryPrimitives.ReadUInt64LittleEndian(row));
            foreach (var pixel in row)
                crc = BitOperations.Crc32C(crc, pixel);
        }

        return crc;
    }
}
