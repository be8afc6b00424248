using Xunit;

namespace CmvcStream.Simulate.Tests;

public class RandomLinksTests
{
    private static readonly double[] Levels = RecordedCodec.Recording();

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    public void Run_TenMinutesOfARandomLink_NeverHangsQueuesOrExceedsTheBudget(int seed)
    {
        var simulation = RandomLinks.Run(seed, 600, Levels);

        Assert.Empty(RandomLinks.Faults(simulation));
        Assert.True(simulation.Keyframes.Count > 100, $"{simulation.Keyframes.Count} keyframes");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Run_WithoutPacing_IsFoundOut(int seed) =>
        Assert.Contains(RandomLinks.Faults(RandomLinks.Run(seed, 600, Levels, unpaced: true)), fault => fault.Contains("times the budget", StringComparison.Ordinal));
}
