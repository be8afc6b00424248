using CmvcStream.Evaluate.Live;

namespace CmvcStream.Evaluate.Tests.Live;

public class LiveMeasuresTests
{
    private static readonly LivePicture[] _steady = [new(0, 1), new(0.2, 1.2), new(0.4, 1.5), new(0.6, 1.6)];

    [Fact]
    public void FirstPicture_Pictures_IsTheEarliestShown() => Assert.Equal(1, LiveMeasures.FirstPicture(_steady));

    [Fact]
    public void Measures_NoPicture_AreUnknownAndNothingIsShown()
    {
        Assert.Null(LiveMeasures.FirstPicture([]));
        Assert.Null(LiveMeasures.FreezesOf([], 30));
        Assert.Null(LiveMeasures.Latency([]));
        Assert.Equal(0, LiveMeasures.ShownShare([], 15, 30));
    }

    [Fact]
    public void ShownShare_RepeatedAndStrayPictures_CountOnce() =>
        Assert.Equal(2 / 15.0, LiveMeasures.ShownShare([new(0, 0.1), new(0.0663, 0.2), new(0.0667, 0.3), new(1, 1.1), new(-0.2, 0.1)], 15, 1));

    [Fact]
    public void FreezesOf_NoPauseAboveASecond_IsNoneButKnowsTheLongest()
    {
        var freezes = LiveMeasures.FreezesOf(_steady, 2);
        Assert.Equal(0, freezes!.Value.Count);
        Assert.Equal(0.4, freezes.Value.LongestSeconds, 6);
    }

    [Fact]
    public void FreezesOf_PauseAndStandstillAtTheEnd_CountsBothButNotTheWaitBeforeTheFirst()
    {
        var freezes = LiveMeasures.FreezesOf([new(0, 5), new(1, 7.5), new(2, 8)], 12);
        Assert.Equal(2, freezes!.Value.Count);
        Assert.Equal(4, freezes.Value.LongestSeconds, 6);
    }

    [Fact]
    public void FreezesOf_LastPictureAfterTheEnd_IsNoStandstill() => Assert.Equal(new(0, 1), LiveMeasures.FreezesOf([new(0, 9.5), new(1, 10.5)], 10));

    [Fact]
    public void Latency_Pictures_IsTheirDelay()
    {
        var pictures = Enumerable.Range(1, 100).Select(n => new LivePicture(n, n + (n / 100.0))).ToArray();
        var latency = LiveMeasures.Latency(pictures)!.Value;
        Assert.Equal(0.5, latency.P50, 6);
        Assert.Equal(0.95, latency.P95, 6);
    }
}
