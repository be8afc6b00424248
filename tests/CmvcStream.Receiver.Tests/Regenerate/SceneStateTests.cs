using CmvcStream.Core.Media;
using CmvcStream.Receiver.Regenerate;

namespace CmvcStream.Receiver.Tests.Regenerate;

public class SceneStateTests
{
    [Fact]
    public void Add_TimeNotAfterTheLast_IsRefused()
    {
        using var scene = new SceneState();
        scene.Add(Scene.Keyframe(1, 1.0));

        Assert.False(scene.Add(Scene.Keyframe(2, 1.0)));
    }

    [Fact]
    public void Around_TimeBetweenKeyframes_GivesTheNeighbours()
    {
        using var scene = new SceneState();
        for (uint n = 1; n <= 4; n++)
            scene.Add(Scene.Keyframe(n, n));

        var (previous, before, after) = scene.Around(MediaTime.FromSeconds(2.5));

        Assert.Equal((1u, 2u, 3u), (previous!.Index, before!.Index, after!.Index));
    }

    [Fact]
    public void Around_BeforeTheFirst_GivesOnlyWhatFollows()
    {
        using var scene = new SceneState();
        scene.Add(Scene.Keyframe(1, 1.0));

        var (previous, before, after) = scene.Around(MediaTime.FromSeconds(0.5));

        Assert.Null(previous);
        Assert.Null(before);
        Assert.Equal(1u, after!.Index);
    }

    [Fact]
    public void Add_MoreThanFit_DropsAndCountsTheOldest()
    {
        using var scene = new SceneState();
        for (var n = 0; n < SceneState.Capacity + 3; n++)
            scene.Add(Scene.Keyframe(1, n));

        Assert.Equal(3, scene.Dropped);
        Assert.Null(scene.Around(MediaTime.FromSeconds(2.9)).Before);
    }
}
