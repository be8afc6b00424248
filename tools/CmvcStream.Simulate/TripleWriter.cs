using System.Text;
using CmvcStream.Core.Media;
using CmvcStream.Core.Motion;
using CmvcStream.Receiver.Networks;

namespace CmvcStream.Simulate;

/// <summary>
/// Writes what a refining network is trained on: pictures as the receiver interpolates them, each keyframe moved to their time, and their truth.
/// The file begins with the line "cmvc-triples 1 WIDTH HEIGHT"; a sample is two bytes (place between the keyframes, gap; see
/// <see cref="FrameRefiner.Times"/>) and four pictures (mix, first keyframe moved, second one, truth), planes Y, U and V without padding.
/// </summary>
internal sealed class TripleWriter : IDisposable
{
    /// <summary>Of so many interpolated pictures one is kept.</summary>
    private const int Every = 3;

    private readonly FileStream _file;
    private readonly FrameRate _rate;
    private readonly VideoFrame _first, _second;
    private readonly Dictionary<long, VideoFrame> _truth = [];
    private long _seen;

    public TripleWriter(string path, PixelSize size, FrameRate rate)
    {
        _rate = rate;
        _file = File.Create(path);
        (_first, _second) = (VideoFrame.Allocate(size), VideoFrame.Allocate(size));
        _file.Write(Encoding.ASCII.GetBytes($"cmvc-triples 1 {size.Width} {size.Height}\n"));
    }

    /// <summary>A captured frame: kept until its time is shown.</summary>
    public void Captured(long tick, VideoFrame frame) => _truth[tick] = frame.AddReference();

    /// <summary>The receiver has interpolated the picture of a source time.</summary>
    public void Interpolated(FrameInterpolator interpolator, float t, MediaTime gap, VideoFrame mix, MediaTime time)
    {
        var tick = (long)Math.Round(time.Seconds * _rate.Hertz);
        if (interpolator.IsCut || Math.Abs((time - MediaTime.FromTicks(tick, _rate)).Seconds) > 0.001 || !_truth.TryGetValue(tick, out var truth) || _seen++ % Every != 0)
            return;
        interpolator.Moved(_first, _second);
        var (place, width) = FrameRefiner.Times(t, gap);
        _file.WriteByte(place);
        _file.WriteByte(width);
        foreach (var frame in (ReadOnlySpan<VideoFrame>)[mix, _first, _second, truth])
            PairWriter.Planes(_file, frame);
    }

    /// <summary>Everything before this time has been shown.</summary>
    public void Shown(MediaTime time)
    {
        var tick = (long)Math.Round(time.Seconds * _rate.Hertz);
        foreach (var old in _truth.Keys.Where(k => k < tick).ToList())
        {
            _truth.Remove(old, out var frame);
            frame!.Dispose();
        }
    }

    public void Dispose()
    {
        _file.Dispose();
        foreach (var frame in _truth.Values)
            frame.Dispose();
        _first.Dispose();
        _second.Dispose();
    }
}
