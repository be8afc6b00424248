using CmvcStream.Evaluate.Live;

namespace CmvcStream.Evaluate.Tests.Live;

public class RtpClockTests
{
    private static readonly (double, double)[] _captured = [.. Enumerable.Range(0, 10).Select(n => (n / 10.0, 1000 + (n / 10.0) + (n % 3 * 0.004)))];

    [Fact]
    public void SourceTime_SomeFramesDroppedAndClockWraps_IsThatOfTheCapturedFrame()
    {
        var sent = new[] { 2, 3, 5, 8 }.Select(n => (Rtp(n), 1000 + (n / 10.0) + 0.02)).ToArray();
        var clock = new RtpClock(_captured, sent);
        Assert.All([2, 3, 5, 8], n => Assert.Equal(n / 10.0, clock.SourceTime(Rtp(n))));
    }

    [Fact]
    public void SourceTime_OneFrameLeavesTheEncoderLate_DoesNotMind()
    {
        var sent = new[] { 2, 3, 5, 8 }.Select(n => (Rtp(n), 1000 + (n / 10.0) + (n == 3 ? 0.15 : 0.02))).ToArray();
        Assert.Equal(0.3, new RtpClock(_captured, sent).SourceTime(Rtp(3)));
    }

    [Fact]
    public void SourceTime_NothingSent_IsUnknown() => Assert.Null(new RtpClock(_captured, []).SourceTime(5));

    private static uint Rtp(int n) => unchecked((uint)(int)(-20000 + (n * 9000)));
}
