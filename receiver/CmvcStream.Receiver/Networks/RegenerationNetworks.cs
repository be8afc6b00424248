using CmvcStream.Core.Media;
using CmvcStream.Inference;

namespace CmvcStream.Receiver.Networks;

/// <summary>The networks that this receiver may use: opened once, for all streams. What cannot be used is reported, and done without.</summary>
internal sealed class RegenerationNetworks : IDisposable
{
    private readonly Dictionary<string, OnnxModel> _open = [];
    private readonly ModelPack? _pack;
    private readonly IReadOnlyList<string>? _named;
    private readonly Action<string> _report;
    private readonly int _threads = Math.Clamp(Environment.ProcessorCount / 4, 1, 4);

    /// <param name="options">What the user asks for.</param>
    /// <param name="report">Takes messages for the user.</param>
    /// <exception cref="FormatException">A network that was asked for by name is not in the pack.</exception>
    public RegenerationNetworks(NetworkOptions options, Action<string> report)
    {
        _report = report;
        if (options.Network == NetworkOptions.None)
            return;
        try
        {
            _pack = options.Models is { } folder ? ModelPack.Open(folder) : ModelPack.Embedded();
        }
        catch (ModelException e)
        {
            report($"no networks: {e.Message}");
            return;
        }

        if (options.Network != NetworkOptions.Auto)
        {
            _named = options.Network.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
            if (_named.FirstOrDefault(n => _pack.Models.All(m => m.Name != n)) is { } unknown)
                throw new FormatException($"--network: {_pack.Place} has no '{unknown}'; it has {string.Join(", ", _pack.Models.Select(m => m.Name).Distinct())}; auto and none are possible as well");
        }

        Provider = ExecutionProviders.Choose(options.Provider, report);
    }

    /// <summary>What runs them.</summary>
    public ExecutionProvider Provider { get; private set; }

    /// <summary>What restores keyframes of this size; null where no network does, or none in time.</summary>
    public KeyframeRestorer? Restorer(PixelSize size) =>
        Ladder(ModelRoles.Restore, KeyframeRestorer.Inputs, size, KeyframeRestorer.Budget) is { Current: not null } ladder ? new(size, ladder) : null;

    /// <summary>What refines interpolated pictures of this size; null where no network does, or none in time.</summary>
    public FrameRefiner? Refiner(PixelSize size, FrameRate fps) =>
        Ladder(ModelRoles.Interpolate, FrameRefiner.Inputs, size, FrameRefiner.Budget(fps)) is { Current: not null } ladder ? new(size, ladder) : null;

    /// <summary>The networks in use and what runs them, for people; null for none.</summary>
    public string? Describe(params ReadOnlySpan<string?> names)
    {
        var all = string.Join(" and ", names.ToArray().Where(n => n is not null));
        return all.Length == 0 ? null : $"{all} on {(Provider == ExecutionProvider.Cuda ? "CUDA" : "the CPU")}";
    }

    public void Dispose()
    {
        foreach (var model in _open.Values)
            model.Dispose();
        _open.Clear();
    }

    private NetworkLadder? Ladder(string role, int planes, PixelSize size, TimeSpan budget)
    {
        if (_pack is null)
            return null;
        var packed = new PackedPicture(size);
        var entries = Entries(role);
        if (entries.Count == 0 && Provider == ExecutionProvider.Cuda)
        {
            _report($"{_pack.Place} has no network to {role} for CUDA: the CPU is used");
            Provider = ExecutionProvider.Cpu;
            entries = Entries(role);
        }

        var ladder = new NetworkLadder(role, budget, forced: _named is not null, _report);
        ladder.Choose(entries.Select(e => (e.Name, new Func<OnnxBinding>(() => Bind(e, planes, packed)))));
        return ladder;
    }

    private IReadOnlyList<ModelEntry> Entries(string role) => [.. _pack!.Of(role, Provider).Where(m => _named is null || _named.Contains(m.Name))];

    private OnnxBinding Bind(ModelEntry entry, int planes, PackedPicture packed)
    {
        if (entry.Inputs is not [{ Name: "x", Type: "uint8", Shape: [1, var given, -1, -1] }] || given != planes
            || entry.Outputs is not [{ Name: "y", Type: "uint8", Shape: [1, PackedPicture.Planes, -1, -1] }])
        {
            throw new ModelException($"'{entry.Name}' of {_pack!.Place} takes {string.Join(", ", entry.Inputs)} and gives {string.Join(", ", entry.Outputs)}; "
                + $"to {entry.Role}, this program wants x uint8[1,{planes},?,?] and y uint8[1,{PackedPicture.Planes},?,?]");
        }

        if (!_open.TryGetValue(entry.Name, out var model))
            _open[entry.Name] = model = _pack!.Load(entry, Provider, _threads);
        return model.Bind(new Dictionary<string, long[]> { ["x"] = [1, planes, packed.Height, packed.Width] });
    }
}
