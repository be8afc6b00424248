using System.Buffers;
using BenchmarkDotNet.Attributes;
using CmvcStream.Core.Media;
using CmvcStream.Core.Motion;

namespace CmvcStream.Benchmarks;

/// <summary>The hot paths of regeneration, at 480x270.</summary>
[MemoryDiagnoser]
public class MotionBenchmarks
{
    private readonly VideoFrame _a = Scene.Picture(Scene.Size, 0), _b = Scene.Picture(Scene.Size, 4), _real = Scene.Picture(Scene.Size, 1);
    private readonly VideoFrame _made = VideoFrame.Allocate(Scene.Size);
    private readonly VideoFrame _small = Scene.Picture(new(240, 135), 0);
    private readonly FrameInterpolator _interpolator = new(Scene.Size);
    private readonly MotionCorrectionEstimator _estimator = new(Scene.Size);
    private readonly Resampler _up = new(new(240, 135), Scene.Size), _sharpUp = new(new(240, 135), Scene.Size, 0.5f), _down = new(Scene.Size, new(240, 135));
    private readonly MotionCorrection[] _corrections = [.. Enumerable.Range(0, 4).Select(_ => new MotionCorrection())];
    private readonly MotionCorrection[] _received = [.. Enumerable.Range(0, 4).Select(_ => new MotionCorrection())];
    private readonly ArrayBufferWriter<byte> _payload = new(65_536);
    private readonly byte[] _sent;

    public MotionBenchmarks()
    {
        _interpolator.Prepare(_a, _b);
        for (var k = 0; k < 4; k++)
        {
            _corrections[k].TimeWarp = k - 2;
            _corrections[k].Dx[11 + k] = 6;
        }

        MotionCodec.Encode(_corrections, _payload);
        _sent = _payload.WrittenSpan.ToArray();
    }

    [Benchmark]
    public void Prepare() => _interpolator.Prepare(_a, _b);

    [Benchmark]
    public void Interpolate() => _interpolator.Interpolate(0.4f, _made);

    [Benchmark]
    public void InterpolateCorrected() => _interpolator.Interpolate(0.4f, _corrections[1], _made);

    [Benchmark]
    public void Extrapolate() => _interpolator.Extrapolate(1.3f, _made);

    [Benchmark]
    public CorrectionGain EstimateCorrection() => _estimator.Estimate(_interpolator, _real, 0.25f, _received[0]);

    [Benchmark]
    public int EncodeMotion()
    {
        _payload.ResetWrittenCount();
        return MotionCodec.Encode(_corrections, _payload);
    }

    [Benchmark]
    public bool DecodeMotion() => MotionCodec.TryDecode(_sent, _received, out _, out _);

    [Benchmark]
    public void ResampleUp() => _up.Resample(_small, _made);

    [Benchmark]
    public void ResampleUpSharpened() => _sharpUp.Resample(_small, _made);

    [Benchmark]
    public void ResampleDown() => _down.Resample(_a, _small);

    [Benchmark]
    public double LumaMse() => FrameDistance.LumaMse(_a, _b);

    [Benchmark]
    public double Structural() => FrameDistance.Structural(_a, _b);
}
