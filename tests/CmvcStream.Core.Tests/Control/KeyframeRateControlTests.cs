using CmvcStream.Core.Codec;
using CmvcStream.Core.Control;
using CmvcStream.Core.Media;
using Google.Protobuf;
using Xunit;

namespace CmvcStream.Core.Tests.Control;

/// <summary>The controller with assembler, budget and an encoder that follows a noisy law of size over quality, in virtual time.</summary>
public class KeyframeRateControlTests
{
    private static readonly FrameRate Fps = FrameRate.PerSecond(15);
    private static readonly PixelSize Size = new(480, 270);

    [Theory]
    [InlineData(4000, 1.0, 1)]
    [InlineData(8000, 0.2, 2)]
    [InlineData(8000, 1.0, 3)]
    [InlineData(8000, 5.0, 4)]
    [InlineData(16000, 1.0, 5)]
    [InlineData(50000, 1.0, 6)]
    public void Stream_AnyContent_SpendsTheRateAndBoundsTheGaps(long bitsPerSecond, double busy, int seed)
    {
        var run = Run(bitsPerSecond, seed, _ => busy);

        Assert.All(run.Gaps(from: 10), gap => Assert.InRange(gap, 0, 2.5 * run.Rate.TargetInterval / Fps.Hertz));
        Assert.InRange(run.WireRate(from: 10), 0.85 * bitsPerSecond, 1.01 * bitsPerSecond);
    }

    [Fact]
    public void Stream_ContentBecomesFarBusier_RecoversWithinSeconds()
    {
        var run = Run(8000, seed: 7, second => second < 30 ? 0.5 : 8);

        Assert.All(run.Gaps(from: 36), gap => Assert.InRange(gap, 0, 1.6));
        Assert.All(run.Gaps(from: 10), gap => Assert.InRange(gap, 0, 2.8));
        Assert.InRange(run.WireRate(from: 36), 6800, 8080);
    }

    [Fact]
    public void Stream_QualityIsExhausted_TheCodedSizeStepsDownAndBack()
    {
        var run = Run(3000, seed: 8, second => second is > 20 and < 60 ? 12 : 0.3);

        Assert.Equal(CodedScale.Full, run.ScaleAt(20));
        Assert.True(run.ScaleAt(58).Of(Size).Area < Size.Area / 2, $"{run.ScaleAt(58)}");
        Assert.Equal(CodedScale.Full, run.ScaleAt(119));
    }

    [Fact]
    public void Stream_NothingMoves_QualityRisesToTheBest()
    {
        var run = Run(8000, seed: 9, _ => 0.001);

        Assert.Equal(12, run.Keyframes[^1].Spend.Quality);
    }

    [Fact]
    public void Lead_CodingIsSlowForAWhile_FollowsWithinBounds()
    {
        var rate = new KeyframeRateControl(new(8000), WireOverhead.GrpcClear, Fps, Size);

        MediaTime After(double milliseconds)
        {
            for (var k = 0; k < 30; k++)
                rate.Took(MediaTime.FromMilliseconds(milliseconds));
            return rate.Lead;
        }

        Assert.InRange(After(150).Milliseconds, 150, 250);
        Assert.InRange(After(400).Milliseconds, 400, 500);
        Assert.InRange(After(5000).Milliseconds, 0, 600);
        Assert.InRange(After(10).Milliseconds, 50, 110);
    }

    [Fact]
    public void SetRate_LinkChanges_WhatMotionMayTakeFollows()
    {
        var rate = new KeyframeRateControl(new(8000), WireOverhead.GrpcClear, Fps, Size);

        double After(long bitsPerSecond)
        {
            rate.SetRate(new(bitsPerSecond));
            Assert.InRange(rate.MostMotion, 0.1 * rate.Nominal, 0.3 * rate.Nominal);
            return rate.MostMotion;
        }

        Assert.InRange(After(2500), 50, 100);
        Assert.InRange(After(16_000), 200, 300);
        Assert.InRange(After(4000), 80, 130);
    }

    /// <summary>120 s of a stream.</summary>
    private static Stream Run(long bitsPerSecond, int seed, Func<double, double> busy)
    {
        var random = new Random(seed);
        var budget = new WireBudget(new(bitsPerSecond));
        var overhead = WireOverhead.GrpcClear;
        var assembler = new PacketAssembler(overhead, budget);
        var stream = new Stream(new(new(bitsPerSecond), overhead, Fps, Size));
        var last = -1L;
        for (var ms = 0L; ms < 120_000; ms += 5)
        {
            var now = MediaTime.FromMilliseconds(ms);
            var tick = ms * 15 / 1000;
            var available = assembler.Available(now, stream.Rate.Lead);
            if (last < 0 || (tick - last >= stream.Rate.TargetInterval && stream.Rate.Affords(available)))
            {
                var intra = last < 0;
                var noise = Math.Exp((random.NextDouble() + random.NextDouble() - 1) * 0.7);
                var (spend, bytes) = Fit(stream.Rate, intra, available, noise, busy(now.Seconds));
                if (!intra && bytes > stream.Rate.Most)
                {
                    intra = true;
                    (spend, bytes) = Fit(stream.Rate, intra, available, noise, busy(now.Seconds));
                }

                stream.Rate.Spent(bytes, 0, intra, spend.Quality);
                assembler.Add(new() { Index = (uint)stream.Keyframes.Count + 1, Data = ByteString.CopyFrom(new byte[bytes]) }, null, now);
                stream.Keyframes.Add((now, spend));
                last = tick;
            }

            while (assembler.DueAt(now) <= now)
            {
                var wire = overhead.WireBytes(assembler.Take(now).CalculateSize());
                budget.Charge(now, wire);
                stream.Packets.Add((now, wire));
            }
        }

        return stream;
    }

    private static (KeyframeSpend Spend, int Bytes) Fit(KeyframeRateControl rate, bool intra, double available, double noise, double busy)
    {
        var spend = rate.Plan(intra, available);
        while (true)
        {
            var bytes = Bytes(noise, intra, busy, spend);
            if (rate.Revise(spend, bytes) is not { } better)
                return (spend, bytes);
            spend = better;
        }
    }

    private static int Bytes(double noise, bool intra, double busy, KeyframeSpend spend)
    {
        var area = (double)spend.Scale.Of(Size).Area;
        var whole = intra ? 0.04 * area : 250 * busy * Math.Pow(area / Size.Area, 0.75);
        return (int)(20 + whole * noise * Math.Pow(2, (52 - spend.Quality) / 7.0));
    }

    private sealed record Stream(KeyframeRateControl Rate)
    {
        public List<(MediaTime At, KeyframeSpend Spend)> Keyframes { get; } = [];

        public List<(MediaTime At, int Wire)> Packets { get; } = [];

        public IEnumerable<double> Gaps(double from) =>
            Keyframes.Zip(Keyframes.Skip(1), (a, b) => (a.At, Gap: (b.At - a.At).Seconds)).Where(g => g.At.Seconds >= from).Select(g => g.Gap);

        public double WireRate(double from) => Packets.Where(p => p.At.Seconds >= from).Sum(p => p.Wire) * 8 / (120 - from);

        public CodedScale ScaleAt(double second) => Keyframes.Last(k => k.At.Seconds <= second).Spend.Scale;
    }
}
