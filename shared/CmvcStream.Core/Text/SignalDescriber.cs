using CmvcStream.Core.Media;

namespace CmvcStream.Core.Text;

/// <summary>
/// The minimal describer: light, palette and camera motion from measured signals. A verdict counts once it has lasted, and a text
/// leaves at most every two seconds unless the scene is new.
/// </summary>
public sealed class SignalDescriber : IDescriber
{
    private static readonly MediaTime Spacing = MediaTime.FromSeconds(2);
    private static readonly MediaTime Lasting = MediaTime.FromSeconds(0.6);

    private readonly CameraMotion _camera = new();
    private readonly Look _look = new();
    private readonly Settled _lookSaid = new(), _motionSaid = new();
    private MediaTime? _lastText;
    private int _scene;

    public bool TryDescribe(in DescriberInput input, out SceneDescription text)
    {
        var newScene = input.Scene != _scene;
        if (newScene)
            _camera.Reset();
        _scene = input.Scene;
        var motion = _camera.Observe(input.Frame);
        var look = _look.Observe(input.Frame);
        _lookSaid.Observe(look, input.Time, newScene);
        _motionSaid.Observe(motion, input.Time, newScene);
        text = new(input.Scene, "", "");
        if (!newScene && _lastText is { } last && input.Time - last < Spacing)
            return false;
        string? newLook = _lookSaid.Take(input.Time, newScene ? MediaTime.Zero : Lasting), newMotion = _motionSaid.Take(input.Time, newScene ? MediaTime.Zero : Lasting);
        if (newLook is null && newMotion is null)
            return false;
        _lastText = input.Time;
        text = new(input.Scene, newLook ?? "", newMotion ?? "");
        return true;
    }

    /// <summary>A phrase that must last before it is said, and is not said twice.</summary>
    private sealed class Settled
    {
        private string _said = "", _seen = "";
        private MediaTime _since;

        public void Observe(string phrase, MediaTime now, bool restart)
        {
            if (restart)
                _said = "";
            if (phrase == _seen)
                return;
            (_seen, _since) = (phrase, now);
        }

        public string? Take(MediaTime now, MediaTime lasting)
        {
            if (_seen == _said || _seen.Length == 0 || now - _since < lasting)
                return null;
            return _said = _seen;
        }
    }
}
