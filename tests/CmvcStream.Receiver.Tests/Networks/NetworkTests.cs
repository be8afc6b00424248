using CmvcStream.Core.Media;
using CmvcStream.Core.Motion;
using CmvcStream.Inference;
using CmvcStream.Receiver.Networks;
using CmvcStream.TestKit;

namespace CmvcStream.Receiver.Tests.Networks;

public sealed class NetworkTests : IDisposable
{
    private static readonly PixelSize Size = new(52, 38);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("cmvc-networks-");
    private readonly List<string> _reports = [];

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory]
    [InlineData(52, 38)]
    [InlineData(480, 270)]
    [InlineData(33, 17)]
    public void Unpack_WhatWasPacked_IsThePictureAgain(int width, int height)
    {
        var packed = new PackedPicture(new(width, height));
        using var frame = Picture(new(width, height));
        using var back = VideoFrame.Allocate(frame.Size);
        var bytes = new byte[PackedPicture.Planes * packed.Area];

        packed.Pack(frame, bytes);
        packed.Unpack(bytes, back);

        Assert.Equal(Pixels(frame), Pixels(back));
    }

    [Fact]
    public void Pack_Planes_AreThePositionsOfABlockAndTheEdgeGoesOn()
    {
        var packed = new PackedPicture(Size);
        using var frame = Picture(Size);
        var bytes = new byte[PackedPicture.Planes * packed.Area];

        packed.Pack(frame, bytes);

        Assert.Equal((16, 12), (packed.Width, packed.Height));
        Assert.Equal(frame.Y.Row(4 * 2 + 1)[4 * 3 + 2], bytes[(1 * 4 + 2) * packed.Area + 2 * packed.Width + 3]);
        Assert.Equal(frame.V.Row(2 * 5 + 1)[2 * 7], bytes[(20 + 2) * packed.Area + 5 * packed.Width + 7]);
        Assert.Equal(frame.Y.Row(37)[51], bytes[packed.Area - 1]);
    }

    [Fact]
    public void Restore_Picture_GetsWhatTheNetworkGives()
    {
        using var networks = Networks(new TestPack(_folder.FullName).With("shift", TestPack.Shift(1)));
        using var restorer = networks.Restorer(Size)!;
        using var frame = Picture(Size);
        using var expected = VideoFrame.Allocate(Size);
        var packed = new PackedPicture(Size);
        var bytes = new byte[(PackedPicture.Planes + 1) * packed.Area];
        packed.Pack(frame, bytes);
        bytes.AsSpan(PackedPicture.Planes * packed.Area).Fill(128); // the coded scale: half
        packed.Unpack(bytes.AsSpan(packed.Area), expected);

        Assert.True(restorer.Restore(frame, new(26, 19), 200));

        Assert.Equal(Pixels(expected), Pixels(frame));
        Assert.Equal("shift on the CPU", restorer.Network);
    }

    [Theory]
    [InlineData(0)]     // the mix as it is
    [InlineData(24)]    // the first keyframe, moved
    [InlineData(48)]    // the second one
    public void Refine_InterpolatedPicture_GetsWhatTheNetworkGives(int first)
    {
        using var networks = Networks(new TestPack(_folder.FullName).With("pick", TestPack.Shift(first, planes: 74), planes: 74, role: "interpolate"));
        using var refiner = networks.Refiner(Size, FrameRate.PerSecond(30))!;
        using VideoFrame a = Picture(Size), b = VideoFrame.Allocate(Size), picture = VideoFrame.Allocate(Size), moved = VideoFrame.Allocate(Size), other = VideoFrame.Allocate(Size);
        a.CopyTo(b);
        b.Y.Row(5).Fill(200);
        var interpolator = new FrameInterpolator(Size);
        interpolator.Prepare(a, b);
        interpolator.Interpolate(0.25f, picture);
        interpolator.Moved(moved, other);
        var expected = Pixels(first == 0 ? picture : first == 24 ? moved : other);

        Assert.True(refiner.Refine(interpolator, 0.25f, MediaTime.FromSeconds(1), picture));

        Assert.Equal(expected, Pixels(picture));
        Assert.Equal((64, 128), FrameRefiner.Times(0.25f, MediaTime.FromSeconds(1)));
    }

    [Fact]
    public void Refine_BetweenTwoScenes_IsLeftAlone()
    {
        using var networks = Networks(new TestPack(_folder.FullName).With("pick", TestPack.Shift(48, planes: 74), planes: 74, role: "interpolate"));
        using var refiner = networks.Refiner(Size, FrameRate.PerSecond(30))!;
        using VideoFrame a = Picture(Size), b = Picture(Size, seed: 8), picture = VideoFrame.Allocate(Size);
        var interpolator = new FrameInterpolator(Size);
        interpolator.Prepare(a, b);
        interpolator.Interpolate(0.25f, picture);
        Assert.True(interpolator.IsCut);
        var before = Pixels(picture);

        Assert.False(refiner.Refine(interpolator, 0.25f, MediaTime.FromSeconds(1), picture));

        Assert.Equal(before, Pixels(picture));
    }

    [Fact]
    public void Restore_SamePicture_GivesTheSameBytesEveryTime()
    {
        var all = Enumerable.Range(0, 3).Select(_ =>
        {
            using var networks = new RegenerationNetworks(new() { Network = "restore-medium", Provider = ExecutionProvider.Cpu }, _reports.Add);
            using var restorer = networks.Restorer(Size)!;
            using var frame = Picture(Size);
            Assert.True(restorer.Restore(frame, Size, 180));
            return Pixels(frame);
        }).ToArray();

        Assert.Equal(all[0], all[1]);
        Assert.Equal(all[0], all[2]);
        Assert.Empty(_reports);
    }

    [Fact]
    public void Restorer_TheLargestIsDamaged_TheNextIsUsedAndItIsSaid()
    {
        var pack = new TestPack(_folder.FullName).With("large", TestPack.Shift(0), cost: 9, change: e => e["sha256"] = "00").With("small", TestPack.Shift(0));
        using var networks = Networks(pack);

        using var restorer = networks.Restorer(Size)!;

        Assert.Equal("small on the CPU", restorer.Network);
        Assert.Contains("large cannot be used to restore: ", Assert.Single(_reports));
    }

    [Fact]
    public void Restorer_NetworkOfOtherShapes_IsNotUsedAndItIsSaid()
    {
        using var networks = Networks(new TestPack(_folder.FullName).With("wide", TestPack.Shift(0, planes: 30), planes: 30));

        Assert.Null(networks.Restorer(Size));

        Assert.Contains("takes x uint8[1,30,?,?] and gives y uint8[1,24,?,?]; to restore, this program wants x uint8[1,26,?,?]", Assert.Single(_reports));
    }

    [Fact]
    public void Restorer_PackIsMissing_ThereIsNoneAndItIsSaid()
    {
        using var networks = new RegenerationNetworks(new() { Models = Path.Combine(_folder.FullName, "none") }, _reports.Add);

        Assert.Null(networks.Restorer(Size));

        Assert.Contains("no networks: the model pack", Assert.Single(_reports));
    }

    [Fact]
    public void Networks_NoneAskedFor_ThereIsNone()
    {
        using var networks = new RegenerationNetworks(new() { Network = NetworkOptions.None }, _reports.Add);
        Assert.Null(networks.Restorer(Size));
        Assert.Empty(_reports);
    }

    [Fact]
    public void Networks_UnknownName_IsWrongUsageThatNamesThoseThereAre()
    {
        var error = Assert.Throws<FormatException>(() => new RegenerationNetworks(new() { Network = "marvel" }, _reports.Add));
        Assert.Contains("--network: the built-in model pack has no 'marvel'; it has restore-", error.Message);
    }

    [Fact]
    public void Ladder_NetworkTooSlowAtTheStart_MakesRoomForTheNext()
    {
        var (slow, quick) = (Open(TestPack.Shift(0)), Open(TestPack.Shift(1)));
        using var ladder = new NetworkLadder("restore", ExecutionProvider.Cpu, TimeSpan.FromTicks(1), forced: false, _reports.Add);

        ladder.Choose([("slow", () => slow), ("quick", () => quick)]);

        Assert.Null(ladder.Current);
        Assert.Equal(2, _reports.Count);
        Assert.Contains("slow would take", _reports[0]);
    }

    [Fact]
    public void Ladder_NetworkBecomesTooSlow_MakesRoomForTheNext()
    {
        using var ladder = new NetworkLadder("restore", ExecutionProvider.Cpu, TimeSpan.FromSeconds(5), forced: false, _reports.Add);
        ladder.Choose([("large", () => Open(TestPack.Shift(0))), ("small", () => Open(TestPack.Shift(1)))]);

        ladder.Watch(TimeSpan.FromSeconds(60));        // interrupted: no reason yet
        Assert.True(Run(ladder));
        Assert.Equal("large", ladder.Name);
        for (var i = 0; i < 60; i++)
            ladder.Watch(TimeSpan.FromSeconds(6));

        Assert.True(Run(ladder));
        Assert.Equal("small", ladder.Name);
        Assert.Contains("large takes", Assert.Single(_reports));
    }

    [Fact]
    public async Task Dispose_WhileANetworkRuns_WaitsForItAndNoneRunsAfterwards()
    {
        for (var i = 0; i < 20; i++)
        {
            var networks = Networks(new TestPack(_folder.FullName).With("shift", TestPack.Shift(1)));
            var restorer = networks.Restorer(Size)!;
            using var frame = Picture(Size);
            var restored = 0L;
            var running = Task.Run(() =>
            {
                while (restorer.Restore(frame, Size, 100))
                    Interlocked.Increment(ref restored);
            });
            while (Interlocked.Read(ref restored) == 0)
                await Task.Yield();

            networks.Dispose();

            await running.WaitAsync(TimeSpan.FromSeconds(10));
            Assert.False(restorer.Restore(frame, Size, 100));
        }
    }

    [Fact]
    public async Task Dispose_WhileTheNextNetworkIsOpened_WaitsForItAndNoneRunsAfterwards()
    {
        using var opening = new SemaphoreSlim(0);
        using var go = new SemaphoreSlim(0);
        var ladder = new NetworkLadder("restore", ExecutionProvider.Cpu, TimeSpan.FromSeconds(5), forced: false, _reports.Add);
        var choosing = Task.Run(() => ladder.Choose([("first", () =>
        {
            opening.Release();
            go.Wait();
            return Open(TestPack.Shift(0));
        })]));
        await opening.WaitAsync(TimeSpan.FromSeconds(10));

        var disposing = Task.Run(ladder.Dispose);
        go.Release();

        await Task.WhenAll(choosing, disposing).WaitAsync(TimeSpan.FromSeconds(10));
        Assert.True(ladder.Disposed);
        Assert.False(Run(ladder));
    }

    [Fact]
    public void Restorer_NetworkThatGivesAnotherSize_IsNotUsedAndItIsSaid()
    {
        var halves = new OnnxFile().ByteInput("x", 1, 26, -1, -1).ByteOutput("y", 1, 24, -1, -1)
            .Integers("from", 0, 0).Integers("to", 24, 2).Integers("axes", 1, 2).Node("Slice", ["x", "from", "to", "axes"], "y").ToBytes();
        using var networks = Networks(new TestPack(_folder.FullName).With("halves", halves));

        Assert.Null(networks.Restorer(Size));

        Assert.Contains("halves.onnx gives [1,24,2,16] for pictures of [1,26,12,16]: another size", Assert.Single(_reports));
    }

    [Theory]
    [InlineData(",", "--network: write auto, none, or names of networks")]
    [InlineData("gpu", "--network: 'gpu' of ")]
    [InlineData("painter", "is to text-to-image, for cpu: of no use here, where the CPU runs networks")]
    public void Networks_NameThatCannotRunHere_IsWrongUsage(string name, string message)
    {
        var pack = new TestPack(_folder.FullName).With("gpu", TestPack.Shift(0), provider: "cuda").With("painter", TestPack.Shift(0), role: "text-to-image").Write();
        var error = Assert.Throws<FormatException>(() => new RegenerationNetworks(new() { Network = name, Models = pack, Provider = ExecutionProvider.Cpu }, _reports.Add));
        Assert.Contains(message, error.Message);
    }

    [Fact]
    public void Ladder_Forced_StaysHoweverSlow()
    {
        using var ladder = new NetworkLadder("restore", ExecutionProvider.Cpu, TimeSpan.FromTicks(1), forced: true, _reports.Add);
        ladder.Choose([("asked for", () => Open(TestPack.Shift(0)))]);
        for (var i = 0; i < 50; i++)
            ladder.Watch(TimeSpan.FromSeconds(1));

        Assert.Equal("asked for", ladder.Name);
        Assert.Empty(_reports);
    }

    [Theory]
    [InlineData("none.safetensors", "cannot be read")]
    [InlineData("damaged.safetensors", "is no adapter")]
    public void Restorer_AdapterCannotBeUsed_TheNetworkRunsWithoutAndItIsSaid(string name, string message)
    {
        var file = Path.Combine(_folder.FullName, name);
        if (name.StartsWith("damaged", StringComparison.Ordinal))
            File.WriteAllText(file, "no adapter at all");
        using var networks = new RegenerationNetworks(new() { Models = new TestPack(_folder.FullName).With("shift", TestPack.Shift(1)).Write(), Adapter = file, Provider = ExecutionProvider.Cpu }, _reports.Add);
        using var restorer = networks.Restorer(Size)!;

        Assert.Equal("shift on the CPU", restorer.Network);
        Assert.StartsWith("no adapter: ", Assert.Single(_reports), StringComparison.Ordinal);
        Assert.Contains(message, _reports[0]);
    }

    private static bool Run(NetworkLadder ladder) => ladder.Run(0, static (_, _) => { }, static (_, _) => { });

    private static OnnxBinding Open(byte[] model)
    {
        var opened = OnnxModel.Open(model, "test");
        return opened.Bind(new Dictionary<string, long[]> { ["x"] = [1, 26, 4, 4] });
    }

    private static VideoFrame Picture(PixelSize size, int seed = 3)
    {
        var frame = VideoFrame.Allocate(size);
        frame.Fill();
        var random = new Random(seed);
        foreach (var plane in new[] { frame.Y, frame.U, frame.V })
        {
            for (var y = 0; y < plane.Height; y++)
                random.NextBytes(plane.Row(y));
        }

        return frame;
    }

    private static byte[] Pixels(VideoFrame frame)
    {
        List<byte> all = [];
        foreach (var plane in new[] { frame.Y, frame.U, frame.V })
        {
            for (var y = 0; y < plane.Height; y++)
                all.AddRange(plane.Row(y));
        }

        return [.. all];
    }

    private RegenerationNetworks Networks(TestPack pack) => new(new() { Models = pack.Write(), Provider = ExecutionProvider.Cpu }, _reports.Add);
}
