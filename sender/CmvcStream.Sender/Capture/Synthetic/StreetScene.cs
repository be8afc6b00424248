using CmvcStream.Core.Media;

namespace CmvcStream.Sender.Capture.Synthetic;

/// <summary>
/// A fixed camera over a street: people and vehicles pass at their own speeds, before and behind each other, trees and a
/// lamp; now and then a cloud darkens it all. One unit is the picture's height.
/// </summary>
public sealed class StreetScene : ISyntheticScene
{
    private readonly VideoFrame _backdrop;
    private readonly double _unit, _width;
    private readonly Vehicle[] _farLane, _nearLane;
    private readonly Walker[] _farWalkers;
    private readonly Walker _nearWalker;
    private readonly (Sprite Sprite, double X)[] _trees;
    private readonly Sprite _lamp;

    public StreetScene(PixelSize size)
    {
        _backdrop = StreetBackdrop.Paint(size);
        _unit = size.Height;
        _width = (double)size.Width / size.Height;
        _farLane =
        [
            MakeVehicle(0.27, 0xc23b32, bus: false, right: false, start: 0.35, speed: 0.26),
            MakeVehicle(0.29, 0xe8e4da, bus: false, right: false, start: 1.35, speed: 0.26),
        ];
        _nearLane =
        [
            MakeVehicle(0.62, 0x2f7d5b, bus: true, right: true, start: 0.1, speed: 0.38),
            MakeVehicle(0.36, 0x2f5d9b, bus: false, right: true, start: 1.2, speed: 0.38),
            MakeVehicle(0.36, 0xd8a72e, bus: false, right: true, start: 1.9, speed: 0.38),
        ];
        _farWalkers =
        [
            MakeWalker(0.135, 0x7b2d3b, 0x2b2f45, 0x2a1d14, right: true, start: 0.2, speed: 0.062),
            MakeWalker(0.130, 0x2f6690, 0x4a4038, 0x6b4a2b, right: false, start: 0.9, speed: 0.075),
            MakeWalker(0.138, 0xd9b44a, 0x30323a, 0x1d1a18, right: true, start: 1.3, speed: 0.048),
            MakeWalker(0.126, 0x4f7d4a, 0x5a4a3c, 0xa08050, right: false, start: 1.6, speed: 0.055),
        ];
        _nearWalker = MakeWalker(0.42, 0x9a3d2e, 0x2c3550, 0x33231a, right: true, start: 0.15, speed: 0.135);
        _trees = [.. Enumerable.Range(0, (int)(_width / 0.55) + 1).Select(i => (StreetBackdrop.Tree(_unit, 0.33 + 0.05 * (i % 3)), 0.33 + 0.55 * i))];
        _lamp = StreetBackdrop.Lamp(_unit, 0.86);
    }

    public void Render(VideoFrame frame, MediaTime time)
    {
        ArgumentNullException.ThrowIfNull(frame);
        var t = time.Seconds;
        _backdrop.CopyTo(frame);
        foreach (var walker in _farWalkers)
            Draw(frame, walker, t, 0.648);
        foreach (var (tree, x) in _trees)
            Stand(frame, tree, x, 0.662);
        // Lanes slow down and speed up as a whole, so that nobody drives through anybody.
        foreach (var vehicle in _farLane)
            Draw(frame, vehicle, t + 0.9 * Math.Sin(t * 0.9), 0.765);
        foreach (var vehicle in _nearLane)
            Draw(frame, vehicle, t + 1.1 * Math.Sin(t * 0.6), 0.882);
        Stand(frame, _lamp, _width * 0.78, 0.985);
        Draw(frame, _nearWalker, t, 1.0);
        Shade(frame, 1 - 0.26 * Cloud(t), 1 - 0.15 * Cloud(t));
    }

    /// <summary>How much of the sun a cloud takes, 0 to 1: it comes every 14 s, in 1.5 s, and stays for 3.</summary>
    private static double Cloud(double t)
    {
        var phase = t % 14;
        return Noise.Smooth(Math.Clamp((phase - 6) / 1.5, 0, 1)) * Noise.Smooth(Math.Clamp((12 - phase) / 1.5, 0, 1));
    }

    private static void Shade(VideoFrame frame, double luma, double chroma)
    {
        if (luma >= 1)
            return;
        Scale(frame.Y, luma, 16);
        Scale(frame.U, chroma, 128);
        Scale(frame.V, chroma, 128);
    }

    private static void Scale(Plane plane, double gain, int zero)
    {
        Span<byte> map = stackalloc byte[256];
        for (var i = 0; i < map.Length; i++)
            map[i] = (byte)Math.Clamp((int)Math.Round((i - zero) * gain) + zero, 0, 255);
        for (var y = 0; y < plane.Height; y++)
        {
            foreach (ref var value in plane.Row(y))
                value = map[value];
        }
    }

    // Who leaves on one side comes back on the other; the margin hides the jump.
    private double Place(double start, double speed, double margin, bool right, double t)
    {
        var span = _width + 2 * margin;
        var way = (start + speed * t) % span;
        if (way < 0)
            way += span;
        return right ? way - margin : _width + margin - way;
    }

    private void Draw(VideoFrame frame, Walker walker, double t, double ground)
    {
        // One stride is about 0.66 of a body's height; feet then do not slide.
        var phase = (int)(walker.Speed * t / (walker.Height * 0.66) * StreetFigures.Strides) % StreetFigures.Strides;
        Stand(frame, walker.Strides[phase], Place(walker.Start, walker.Speed, walker.Height * 0.3, walker.Right, t), ground);
    }

    private void Draw(VideoFrame frame, Vehicle vehicle, double t, double ground)
    {
        // The bus is longer than the cars; one margin keeps the distances in the lane.
        var x = Place(vehicle.Start, vehicle.Speed, 0.5, vehicle.Right, t);
        Stand(frame, vehicle.Body, x, ground);
        var turn = vehicle.Speed * t / vehicle.WheelRadius / (2 * Math.PI / 5) * StreetFigures.Turns;
        var phase = (int)Math.Floor(vehicle.Right ? turn : -turn) % StreetFigures.Turns;
        var wheel = vehicle.Wheels[phase < 0 ? phase + StreetFigures.Turns : phase];
        foreach (var offset in (ReadOnlySpan<double>)[vehicle.Rear, vehicle.Front])
            wheel.Draw(frame, (x + (vehicle.Right ? offset : -offset)) * _unit, (ground - vehicle.WheelRadius * 1.12) * _unit);
    }

    private void Stand(VideoFrame frame, Sprite sprite, double x, double ground) =>
        sprite.Draw(frame, x * _unit, ground * _unit - sprite.Height / 2.0);

    private Walker MakeWalker(double height, int coat, int trousers, int hair, bool right, double start, double speed) => new(
        StreetFigures.Walker(_unit, height, Rgb.Hex(coat), Rgb.Hex(trousers), Rgb.Hex(hair), right), height, right, start, speed);

    private Vehicle MakeVehicle(double length, int paint, bool bus, bool right, double start, double speed)
    {
        var body = bus ? StreetFigures.Bus(_unit, length, Rgb.Hex(paint), right) : StreetFigures.Car(_unit, length, Rgb.Hex(paint), right);
        var radius = length * (bus ? 0.046 : 0.072);
        return new(body, StreetFigures.Wheel(_unit, radius), radius, length * (bus ? -0.30 : -0.28), length * 0.28, right, start, speed);
    }

    private sealed record Walker(Sprite[] Strides, double Height, bool Right, double Start, double Speed);

    private sealed record Vehicle(
        Sprite Body, Sprite[] Wheels, double WheelRadius, double Rear, double Front, bool Right, double Start, double Speed);
}
