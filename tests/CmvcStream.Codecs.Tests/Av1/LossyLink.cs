using CmvcStream.Codecs.Av1;
using CmvcStream.Core.Codec;
using CmvcStream.Core.Media;

namespace CmvcStream.Codecs.Tests.Av1;

/// <summary>
/// An encoder and a decoder that misses keyframes. It tells two to six keyframes later what it has and that something was missing, and some
/// of that is lost too. It takes keyframes by the rules of docs/wire-format.md.
/// </summary>
internal sealed class LossyLink(PixelSize size, int seed, bool resized) : IDisposable
{
    private readonly Random _random = new(seed);
    private readonly AomKeyframeEncoder _encoder = new(size, new() { Speed = 6 });
    private readonly AomKeyframeDecoder _whole = new(size), _lossy = new(size);
    private readonly Queue<(int At, int Decoded, bool Broken)> _reports = new();
    private readonly long[] _held = new long[8];
    private CodedScale _scale;
    private int _number, _decoded, _acknowledged, _lastIntra;
    private PixelSize _size;
    private bool _broken, _lose;

    public int Lost { get; private set; }

    public int Mended { get; private set; }

    public int Resized { get; private set; }

    public int Intra { get; private set; }

    public void Run(int count, double loss)
    {
        for (var n = 0; n < count; n++)
        {
            while (_reports.TryPeek(out var report) && report.At <= _number)
            {
                _reports.Dequeue();
                _acknowledged = Math.Max(_acknowledged, report.Decoded);
                _encoder.Acknowledge(report.Decoded);
                // A report from before the last keyframe that mended tells nothing new; asking twice does no harm.
                _lose |= report.Broken;
            }

            Send(loss);
            if (_random.Next(4) > 0)
                _reports.Enqueue((_number + _random.Next(2, 7), _decoded, _broken));
        }
    }

    public void Dispose()
    {
        _encoder.Dispose();
        _whole.Dispose();
        _lossy.Dispose();
    }

    private void Send(double loss)
    {
        if (resized && _random.Next(8) == 0)
            _scale = (CodedScale)Math.Clamp((int)_scale + _random.Next(-1, 2), 0, 5);
        var settings = new KeyframeSettings(_random.Next(35, 64), _scale, Intra: false, _lose);
        if (_random.Next(3) == 0)
            _encoder.Measure(Pictures.Scene(size, _number + 7, seed), settings with { Quality = 50 });
        var packet = _encoder.Encode(Pictures.Scene(size, _number, seed), settings).ToArray();
        var (last, mend) = (_encoder.Last, _lose);
        _number++;
        _lose = false;
        using var truth = _whole.Decode(packet);
        Assert.Equal((last.CodedSize, last.Intra), (truth.Size, Av1Unit.IsIntra(packet)));
        Assert.True(mend || truth.Size == _scale.Of(size), Where);
        Resized += _number > 1 && !last.Intra && truth.Size != _size ? 1 : 0;
        _size = truth.Size;
        if (last.Intra)
        {
            Assert.True(resized || _number == 1 || (mend && _acknowledged < _lastIntra), $"{Where}: intra without need");
            (_lastIntra, Intra) = (_number, Intra + 1);
        }

        // The first one comes whole: whoever starts a session repeats it until it does.
        if (_number > 1 && _random.NextDouble() < loss)
        {
            Lost++;
            return;
        }

        var usual = last.Base == _number - 1 && _decoded == last.Base;
        if (!last.Intra && !usual && !(last.Base != _number - 1 && Array.IndexOf(_held, last.Base) >= 0))
        {
            Assert.False(mend, $"{Where}: mended from {last.Base}, the receiver has {string.Join(' ', _held)}");
            _broken = true;
            return;
        }

        Mended += _broken && !last.Intra ? 1 : 0;
        _broken = false;
        _decoded = _number;
        using var shown = _lossy.Decode(packet);
        for (var i = 0; i < 8; i++)
            _held[i] = (_lossy.Stored >> i & 1) != 0 ? _number : _held[i];
        Assert.True(Pictures.Same(truth, shown), $"{Where}: {settings}");
    }

    private string Where => $"seed {seed}, keyframe {_number}";
}
