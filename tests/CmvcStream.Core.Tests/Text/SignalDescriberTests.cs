using CmvcStream.Core.Media;
using CmvcStream.Core.Text;
using Xunit;

namespace CmvcStream.Core.Tests.Text;

public class SignalDescriberTests
{
    [Theory]
    [InlineData(0, 0, 1, "camera still")]
    [InlineData(4, 0, 1, "camera pans left")]
    [InlineData(-4, 0, 1, "camera pans right")]
    [InlineData(0, 4, 1, "camera tilts up")]
    [InlineData(0, -4, 1, "camera tilts down")]
    [InlineData(0, 0, 1.012, "camera zooms in")]
    [InlineData(0, 0, 0.988, "camera zooms out")]
    public void TryDescribe_ContentMoves_NamesTheCamera(double dx, double dy, double zoom, string expected)
    {
        var said = Describe(45, (x, y, k) => Texture((x - 240) / Math.Pow(zoom, k) - dx * k, (y - 135) / Math.Pow(zoom, k) - dy * k));

        Assert.Equal(expected, said.Last(t => t.Motion.Length > 0).Motion);
    }

    [Fact]
    public void TryDescribe_LargeObjectOverStillBackground_CameraIsStill()
    {
        var said = Describe(45, (x, y, k) => Math.Abs(x - 60 - 6 * k) < 60 && y is > 80 and < 220 ? Texture(x * 1.7 - 6 * k, y * 1.3 + 400) : Texture(x, y));

        Assert.All(said.Where(t => t.Motion.Length > 0), t => Assert.Equal("camera still", t.Motion));
    }

    [Fact]
    public void TryDescribe_HalfThePictureMovesOverStillBackground_CameraIsStill()
    {
        var said = Describe(60, (x, y, k) => x >= 100 + 2 * k && x < 340 + 2 * k && y is > 20 and < 255 ? Texture(x - 2 * k, y + 400) : Texture(x, y));

        Assert.All(said.Where(t => t.Motion.Length > 0), t => Assert.Equal("camera still", t.Motion));
    }

    [Fact]
    public void TryDescribe_SpeakerMovesBeforeAnEvenWall_CameraIsStill()
    {
        var said = Describe(60, (x, y, k) => Math.Abs(x - 240 - 40 * Math.Sin(k * 0.15)) < 100 && y > 40 ? Texture(x - 40 * Math.Sin(k * 0.15), y) : 120);

        Assert.All(said.Where(t => t.Motion.Length > 0), t => Assert.Equal("camera still", t.Motion));
    }

    [Fact]
    public void TryDescribe_TwoColoursOfNearlyEqualShare_DoNotSwapPlaces()
    {
        var said = Describe(240, (x, _, k) => x < 240 + 8 * Math.Sin(k * 0.05) ? 30 : 120);

        Assert.Single(said);
    }

    [Theory]
    [InlineData(25, "dark")]
    [InlineData(180, "bright")]
    public void TryDescribe_EvenPicture_NamesTheLight(int level, string light)
    {
        var said = Describe(3, (_, _, _) => level);

        Assert.StartsWith(light, said[0].Look);
    }

    [Fact]
    public void TryDescribe_NothingChanges_SaysItOnce()
    {
        var said = Describe(150, (x, y, _) => Texture(x, y));

        Assert.Single(said);
    }

    private static List<SceneDescription> Describe(int frames, Func<double, double, int, double> luma)
    {
        var describer = new SignalDescriber();
        var said = new List<SceneDescription>();
        var frame = VideoFrame.Allocate(new(480, 270));
        frame.Fill();
        for (var k = 0; k < frames; k++)
        {
            for (var y = 0; y < 270; y++)
            {
                var row = frame.Y.Row(y);
                for (var x = 0; x < 480; x++)
                    row[x] = (byte)Math.Clamp(luma(x, y, k), 16, 235);
            }

            if (describer.TryDescribe(new(frame, MediaTime.FromTicks(k, FrameRate.PerSecond(15)), 1), out var text))
                said.Add(text);
        }

        return said;
    }

    private static double Texture(double x, double y) =>
        125 + 45 * Math.Sin(x * 0.11 + 2 * Math.Sin(y * 0.031)) + 40 * Math.Sin(y * 0.13 + 1.5 * Math.Sin(x * 0.027)) + 15 * Math.Sin((x + y) * 0.23);
}
