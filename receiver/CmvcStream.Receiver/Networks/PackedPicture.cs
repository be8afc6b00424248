using System.Buffers.Binary;
using System.Runtime.Intrinsics;
using CmvcStream.Core.Media;
using CmvcStream.Inference;

namespace CmvcStream.Receiver.Networks;

/// <summary>
/// A picture as networks take it: packed to a quarter of its sides ("pixel unshuffle"), 24 planes of bytes: luma 16 (row by row of each 4x4
/// block), U 4 and V 4 (of each 2x2 block). Sides are multiples of <see cref="Align"/>; what lies beyond the picture repeats its edge.
/// </summary>
internal sealed class PackedPicture(PixelSize size)
{
    /// <summary>Planes of a picture.</summary>
    public const int Planes = 24;

    /// <summary>Pixels that the sides are multiples of: networks halve the packed picture twice.</summary>
    public const int Align = 16;

    private const int LumaPlanes = 16, ChromaPlanes = 4;

    // Sixteen pixels of a row, apart by their position in a block, and back.
    private static readonly Vector128<byte> s_apart4 = Vector128.Create((byte)0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    private static readonly Vector128<byte> s_together4 = s_apart4;
    private static readonly Vector128<byte> s_apart2 = Vector128.Create((byte)0, 2, 4, 6, 8, 10, 12, 14, 1, 3, 5, 7, 9, 11, 13, 15);
    private static readonly Vector128<byte> s_together2 = Vector128.Create((byte)0, 8, 1, 9, 2, 10, 3, 11, 4, 12, 5, 13, 6, 14, 7, 15);

    /// <summary>Of a plane.</summary>
    public int Width { get; } = (size.Width + Align - 1) / Align * (Align / 4);

    /// <summary>Of a plane.</summary>
    public int Height { get; } = (size.Height + Align - 1) / Align * (Align / 4);

    /// <summary>Bytes of a plane.</summary>
    public int Area => Width * Height;

    /// <summary>Packs a picture into 24 planes, one after another.</summary>
    public void Pack(VideoFrame frame, Span<byte> packed)
    {
        Pack(frame.Y, 4, packed[..(LumaPlanes * Area)]);
        Pack(frame.U, 2, packed.Slice(LumaPlanes * Area, ChromaPlanes * Area));
        Pack(frame.V, 2, packed.Slice((LumaPlanes + ChromaPlanes) * Area, ChromaPlanes * Area));
    }

    /// <summary>The reverse of <see cref="Pack(VideoFrame, Span{byte})"/>; the presentation timestamp is left alone.</summary>
    public void Unpack(ReadOnlySpan<byte> packed, VideoFrame frame)
    {
        Unpack(packed[..(LumaPlanes * Area)], 4, frame.Y);
        Unpack(packed.Slice(LumaPlanes * Area, ChromaPlanes * Area), 2, frame.U);
        Unpack(packed.Slice((LumaPlanes + ChromaPlanes) * Area, ChromaPlanes * Area), 2, frame.V);
    }

    /// <summary>Checks that a network takes packed pictures, and gives one.</summary>
    /// <param name="entry">The network.</param>
    /// <param name="planes">That go in.</param>
    /// <exception cref="ModelException">It takes or gives something else.</exception>
    public static void CheckFits(ModelEntry entry, int planes)
    {
        if (entry.Inputs is not [{ Name: "x", Type: "uint8", Shape: [1, var given, -1, -1] }] || given != planes
            || entry.Outputs is not [{ Name: "y", Type: "uint8", Shape: [1, Planes, -1, -1] }])
        {
            throw new ModelException($"'{entry.Name}' takes {string.Join(", ", entry.Inputs)} and gives {string.Join(", ", entry.Outputs)}; "
                + $"to {entry.Role}, this program wants x uint8[1,{planes},?,?] and y uint8[1,{Planes},?,?]");
        }
    }

    /// <summary>Prepares a network for pictures of this size.</summary>
    /// <param name="model">One that <see cref="CheckFits"/>.</param>
    /// <exception cref="ModelException">It fails, or gives a picture of another size.</exception>
    public OnnxBinding Bind(OnnxModel model)
    {
        var binding = model.Bind(new Dictionary<string, long[]> { ["x"] = [1, model.Inputs[0].Shape[1], Height, Width] });
        var given = binding.OutputShape("y");
        if (given.SequenceEqual([1, Planes, Height, Width]))
            return binding;
        binding.Dispose();
        throw new ModelException($"{model.File} gives [{string.Join(',', given)}] for pictures of [1,{model.Inputs[0].Shape[1]},{Height},{Width}]: another size");
    }

    private void Pack(in Plane plane, int block, Span<byte> packed)
    {
        for (var y = 0; y < Height * block; y++)
        {
            var row = plane.Row(Math.Min(y, plane.Height - 1));
            var to = packed[(y % block * block * Area + y / block * Width)..];
            for (var part = 0; part < block; part++)
            {
                var whole = Math.Min(Width, (row.Length - part + block - 1) / block);
                var plain = to.Slice(part * Area, Width);
                for (int i = Vectors(row.Length) * 16 / block, x = i * block + part; i < whole; x += block, i++)
                    plain[i] = row[x];
                plain[whole..].Fill(row[^1]);
            }

            var order = block == 4 ? s_apart4 : s_apart2;
            for (var x = 0; x < Vectors(row.Length) * 16; x += 16)
            {
                var bytes = Vector128.Shuffle(Vector128.Create(row.Slice(x, 16)), order);
                for (var part = 0; part < block; part++)
                {
                    var at = to[(part * Area + x / block)..];
                    if (block == 4)
                        BinaryPrimitives.WriteUInt32LittleEndian(at, bytes.AsUInt32()[part]);
                    else
                        BinaryPrimitives.WriteUInt64LittleEndian(at, bytes.AsUInt64()[part]);
                }
            }
        }
    }

    private void Unpack(ReadOnlySpan<byte> packed, int block, in Plane plane)
    {
        var order = block == 4 ? s_together4 : s_together2;
        for (var y = 0; y < plane.Height; y++)
        {
            var row = plane.Row(y);
            var from = packed[(y % block * block * Area + y / block * Width)..];
            var vectors = Vectors(row.Length);
            for (var x = 0; x < vectors * 16; x += 16)
            {
                var at = from[(x / block)..];
                var bytes = block == 4
                    ? Vector128.Create(Read32(at), Read32(at[Area..]), Read32(at[(2 * Area)..]), Read32(at[(3 * Area)..])).AsByte()
                    : Vector128.Create(BinaryPrimitives.ReadUInt64LittleEndian(at), BinaryPrimitives.ReadUInt64LittleEndian(at[Area..])).AsByte();
                Vector128.Shuffle(bytes, order).CopyTo(row[x..]);
            }

            for (var x = vectors * 16; x < row.Length; x++)
                row[x] = from[x % block * Area + x / block];
        }

        static uint Read32(ReadOnlySpan<byte> at) => BinaryPrimitives.ReadUInt32LittleEndian(at);
    }

    private static int Vectors(int length) => length / 16;
}
