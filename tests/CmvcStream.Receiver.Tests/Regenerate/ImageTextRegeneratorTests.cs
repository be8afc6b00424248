using CmvcStream.Core.Media;
using CmvcStream.Protos;
using CmvcStream.Receiver.Regenerate;

namespace CmvcStream.Receiver.Tests.Regenerate;

public sealed class ImageTextRegeneratorTests : IDisposable
{
    private readonly SceneState _scene = new();

    [Fact]
    public void Regenerate_NothingHasArrived_IsBlack()
    {
        var (frame, provenance) = Make(smooth: true, 0.5);

        Assert.Equal(Provenance.None, provenance);
        Assert.Equal(16, frame.Y.Row(10)[10]);
    }

    [Fact]
    public void Regenerate_AtAKeyframe_IsTheKeyframe()
    {
        var keyframe = Add(1, 1.0);

        var (frame, provenance) = Make(smooth: true, 1.0);

        Assert.Equal(Provenance.Transmitted, provenance);
        Assert.Equal(keyframe.Picture.Y.Row(20).ToArray(), frame.Y.Row(20).ToArray());
    }

    [Fact]
    public void Regenerate_BetweenTwoKeyframes_MovesAlong()
    {
        var (before, after) = (Add(1, 1.0), Add(2, 1.5));

        var (frame, provenance) = Make(smooth: true, 1.25);

        Assert.Equal(Provenance.Interpolated, provenance);
        Assert.Equal((Scene.BarAt(before.Picture) + Scene.BarAt(after.Picture)) / 2, Scene.BarAt(frame), 1.5);
    }

    [Fact]
    public void Regenerate_SmoothAndTheNextIsMissing_HoldsTheLastPicture()
    {
        var keyframe = Add(1, 1.0);

        var (frame, provenance) = Make(smooth: true, 1.4);

        Assert.Equal(Provenance.Held, provenance);
        Assert.Equal(keyframe.Pts, frame.Pts);
        Assert.Equal(keyframe.Picture.Y.Row(20).ToArray(), frame.Y.Row(20).ToArray());
    }

    [Fact]
    public void Regenerate_LowLatencyAndTheNextIsMissing_MovesOn()
    {
        Add(1, 1.0);
        var last = Add(2, 1.5);

        var (frame, provenance) = Make(smooth: false, 1.75);

        Assert.Equal(Provenance.Extrapolated, provenance);
        Assert.True(Scene.BarAt(frame) > Scene.BarAt(last.Picture) + 1, $"the bar stays at {Scene.BarAt(frame)}");
    }

    [Fact]
    public void Regenerate_NextKeyframeStartsAScene_HoldsInsteadOfMixing()
    {
        Add(1, 1.0);
        Add(4, 1.5, KeyframeReason.SceneCut);

        Assert.Equal(Provenance.Held, Make(smooth: true, 1.3).Provenance);
    }

    [Fact]
    public void Regenerate_TruthLandsAfterAGuess_BlendsIntoIt()
    {
        Add(1, 1.0);
        Add(2, 1.5);
        using var regenerator = new ImageTextRegenerator(_scene, Scene.Size, lowLatency: true);
        var guess = Scene.BarAt(regenerator.Regenerate(MediaTime.FromSeconds(1.98)).Frame);
        // The bar has gone back, against all guesses.
        var truth = Add(0, 2.0);

        var (frame, provenance) = regenerator.Regenerate(MediaTime.FromSeconds(2.0));

        Assert.Equal(Provenance.Transmitted, provenance);
        Assert.InRange(Scene.BarAt(frame), Scene.BarAt(truth.Picture) + 1, guess - 1);
    }

    public void Dispose() => _scene.Dispose();

    private SceneKeyframe Add(uint index, double seconds, KeyframeReason reason = KeyframeReason.Unspecified)
    {
        var keyframe = Scene.Keyframe(index, seconds, reason);
        Assert.True(_scene.Add(keyframe));
        return keyframe;
    }

    private (VideoFrame Frame, Provenance Provenance) Make(bool smooth, double seconds)
    {
        using var regenerator = new ImageTextRegenerator(_scene, Scene.Size, lowLatency: !smooth);
        return regenerator.Regenerate(MediaTime.FromSeconds(seconds));
    }
}
