using System.Numerics;
using CmvcStream.Core.Media;

namespace CmvcStream.Receiver.Regenerate;

/// <summary>Mixes two pictures of the same size.</summary>
internal static class Blend
{
    /// <summary>frame = frame x (1 - weight) + other x weight, in 1/256 steps.</summary>
    public static void Into(VideoFrame frame, VideoFrame other, float weight)
    {
        var w = (ushort)Math.Clamp((int)(weight * 256), 0, 256);
        // Both come from pools of one size: planes lie alike, so their buffers are mixed whole.
        Span<byte> to = frame.Y.Buffer;
        ReadOnlySpan<byte> from = other.Y.Buffer;
        var i = 0;
        Vector<ushort> wide = new(w), rest = new((ushort)(256 - w)), half = new((ushort)128);
        for (; i <= to.Length - Vector<byte>.Count; i += Vector<byte>.Count)
        {
            Vector.Widen(new Vector<byte>(to[i..]), out var a0, out var a1);
            Vector.Widen(new Vector<byte>(from[i..]), out var b0, out var b1);
            var lower = Vector.ShiftRightLogical(a0 * rest + b0 * wide + half, 8);
            var upper = Vector.ShiftRightLogical(a1 * rest + b1 * wide + half, 8);
            Vector.Narrow(lower, upper).CopyTo(to[i..]);
        }

        for (; i < to.Length; i++)
            to[i] = (byte)((to[i] * (256 - w) + from[i] * w + 128) >> 8);
    }
}
