using CmvcStream.Evaluate.Compare;
using CmvcStream.Evaluate.Measure;

namespace CmvcStream.Evaluate.Tests.Compare;

public class SummaryTests
{
    private readonly Evaluation _evaluation = Samples.Of(
        Samples.Clip("won", [Samples.Ours(4, 3, 30), Samples.Ours(8, 7, 34)], Samples.Peer("x", 2, 5, 27), Samples.Peer("x", 7, 10, 33)),
        Samples.Clip("lost", [Samples.Ours(4, 3, 30), Samples.Ours(8, 7, 32)], Samples.Peer("x", 2, 5, 31), Samples.Peer("x", 7, 10, 33)),
        Samples.Clip("unreached", [Samples.Ours(4, 3, 30), Samples.Ours(8, 7, 32)], Samples.Peer("x", 12, 15, 40), Samples.Peer("x", 20, 25, 41)));

    [Fact]
    public void Tally_PayloadAgainstPayload_CountsEachOutcome() =>
        Assert.Equal(new Tally(1, 1, 1), Tally.Count(Duel.All(_evaluation, 8, Basis.Payload, Metric.Psnr)));

    [Fact]
    public void Tally_WireAgainstWire_GivesTheOthersWhatOursUsed() =>
        // At 4 the wire carries 4 kbit/s of ours, and nobody's headers alone fit; at 8 it carries 8, between 5 and 10.
        Assert.Equal((new Tally(0, 0, 3), new Tally(1, 1, 1)),
            (Tally.Count(Duel.All(_evaluation, 4, Basis.Wire, Metric.Psnr)), Tally.Count(Duel.All(_evaluation, 8, Basis.Wire, Metric.Psnr))));

    [Fact]
    public void Duel_Unreached_NamesTheLeastRate()
    {
        var duel = Duel.All(_evaluation, 8, Basis.Payload, Metric.Psnr).Single(d => d.Clip.Name == "unreached");
        Assert.Equal((Outcome.Unreached, 12.0), (duel.Outcome, duel.Least.PayloadKbps));
    }

    [Fact]
    public void Duel_MetricThatWasNotMeasured_IsNoDuel() => Assert.Empty(Duel.All(_evaluation, 8, Basis.Payload, Metric.Lpips));

    [Fact]
    public void Saving_SameQualityForHalfTheRate_IsMinusFifty()
    {
        var evaluation = Samples.Of(Samples.Clip("c", [Samples.Ours(4, 2, 30), Samples.Ours(8, 4, 32), Samples.Ours(16, 8, 34)],
            Samples.Peer("x", 4, 9, 30), Samples.Peer("x", 8, 9, 32), Samples.Peer("x", 16, 9, 34)));
        var saving = Summary.Saving(evaluation, "x", Basis.Payload, Metric.Psnr);
        Assert.Equal((-50, 1, 1), (Math.Round(saving.Median!.Value, 6), saving.Clips, saving.Of));
        Assert.Equal(1, saving.Overlap!.Value, 6);
    }

    [Fact]
    public void Saving_CurvesThatDoNotMeet_IsNoNumber()
    {
        var saving = Summary.Saving(Samples.Of(_evaluation.Clips[2]), "x", Basis.Payload, Metric.Psnr);
        Assert.Equal(new(null, null, 0, 1, null), saving);
    }
}
