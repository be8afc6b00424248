using CmvcStream.Core.Media;
using CmvcStream.Protos;
using CmvcStream.Receiver.Regenerate;

namespace CmvcStream.Receiver.Tests.Regenerate;

/// <summary>Keyframes for tests: a bright bar that moves 8 pixels from one to the next.</summary>
internal static class Scene
{
    public static readonly PixelSize Size = new(96, 64);

    public static SceneKeyframe Keyframe(uint index, double seconds, KeyframeReason reason = KeyframeReason.Unspecified)
    {
        var picture = VideoFrame.Allocate(Size);
        picture.Fill(60);
        for (var y = 0; y < Size.Height; y++)
            picture.Y.Row(y).Slice(16 + 8 * (int)index, 12).Fill((byte)(150 + y));
        picture.Pts = MediaTime.FromSeconds(seconds);
        return new(index, picture.Pts, picture, reason, []);
    }

    /// <summary>Where the bar is: mean column, weighted by brightness above the background.</summary>
    public static double BarAt(VideoFrame frame)
    {
        double sum = 0, weight = 0;
        var row = frame.Y.Row(frame.Size.Height / 2);
        for (var x = 0; x < row.Length; x++)
        {
            var w = Math.Max(row[x] - 80, 0);
            (sum, weight) = (sum + w * x, weight + w);
        }

        return sum / weight;
    }
}
