using CmvcStream.Core.Media;
using CmvcStream.Inference;
using CmvcStream.Inference.Adapters;

namespace CmvcStream.Receiver.Networks;

/// <summary>
/// The networks that this receiver may use: opened once, for all streams. What cannot be used is reported, and done without. Safe from several
/// threads.
/// </summary>
internal sealed class RegenerationNetworks : IDisposable
{
    private readonly Lock _gate = new(), _opening = new();    // never one within the other, but a ladder's between them
    private readonly Dictionary<(string Name, ExecutionProvider Provider), OnnxModel> _open = [];
    private readonly List<NetworkLadder> _ladders = [];
    private readonly ModelPack? _pack;
    private readonly LoraAdapter? _adapter;
    private readonly IReadOnlyList<string>? _named;
    private readonly ExecutionProvider _provider;
    private readonly Action<string> _report;
    private readonly int _threads = Math.Clamp(Environment.ProcessorCount / 4, 1, 4);
    private bool _disposed;

    /// <param name="options">What the user asks for.</param>
    /// <param name="report">Takes messages for the user.</param>
    /// <exception cref="FormatException">A network that was asked for by name is not in the pack, or not for what runs networks here.</exception>
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

        _provider = ExecutionProviders.Choose(options.Provider, report);
        if (options.Adapter is { } file)
            _adapter = Adapter(file);
        if (options.Network != NetworkOptions.Auto)
            _named = Named(options.Network);
    }

    /// <summary>What restores keyframes of this size; null where no network does, or none in time.</summary>
    public KeyframeRestorer? Restorer(PixelSize size) =>
        Ladder(ModelRoles.Restore, KeyframeRestorer.Inputs, size, KeyframeRestorer.Budget) is { } ladder ? new(size, ladder) : null;

    /// <summary>What refines interpolated pictures of this size; null where no network does, or none in time.</summary>
    public FrameRefiner? Refiner(PixelSize size, FrameRate fps) =>
        Ladder(ModelRoles.Interpolate, FrameRefiner.Inputs, size, FrameRefiner.Budget(fps)) is { } ladder ? new(size, ladder) : null;

    /// <summary>Networks that run come to their end first; none runs after this.</summary>
    public void Dispose()
    {
        NetworkLadder[] ladders;
        lock (_gate)
        {
            _disposed = true;
            ladders = [.. _ladders];
        }

        foreach (var ladder in ladders)
            ladder.Dispose();
        lock (_opening)
        {
            foreach (var model in _open.Values)
                model.Dispose();
            _open.Clear();
        }
    }

    private LoraAdapter? Adapter(string file)
    {
        try
        {
            var adapter = LoraAdapter.Open(file);
            var bases = _pack!.Models.Where(m => m.Name == adapter.Base).ToArray();
            foreach (var entry in bases)
                _pack.Check(entry, adapter);
            if (bases.Length > 0)
                return adapter;
            _report($"no adapter: {adapter.Name} is for {adapter.Base}, which {_pack.Place} does not have");
        }
        catch (ModelException e)
        {
            _report($"no adapter: {e.Message}");
        }

        return null;
    }

    private List<string> Named(string network)
    {
        List<string> names = [.. network.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)];
        if (names.Count == 0)
            throw new FormatException("--network: write auto, none, or names of networks with commas between them");
        foreach (var name in names)
        {
            var entries = _pack!.Models.Where(m => m.Name == name).ToArray();
            if (entries.Length == 0)
                throw new FormatException($"--network: {_pack.Place} has no '{name}'; it has {string.Join(", ", _pack.Models.Select(m => m.Name).Distinct())}; auto and none are possible as well");
            if (!ModelRoles.Known.SelectMany(role => _pack.Of(role, _provider)).Any(m => m.Name == name))
                throw new FormatException($"--network: '{name}' of {_pack.Place} is to {entries[0].Role}, for {entries[0].Provider}: of no use here, where {_provider.Word()} runs networks");
        }

        return names;
    }

    /// <summary>The networks of a role on the provider that was chosen, or on the CPU where none works there; null: none works.</summary>
    private NetworkLadder? Ladder(string role, int planes, PixelSize size, TimeSpan budget)
    {
        if (_pack is null)
            return null;
        foreach (var provider in new[] { _provider, ExecutionProvider.Cpu }.Distinct())
        {
            ModelEntry[] entries = [.. _pack.Of(role, provider).Where(m => _named is null || _named.Contains(m.Name))];
            if (entries.Length == 0)
                continue;
            if (provider != _provider)
                _report($"no network to {role} works on CUDA: the CPU is used");
            var ladder = new NetworkLadder(role, provider, budget, forced: _named is not null, _report);
            lock (_gate)
            {
                if (_disposed)
                    return null;
                _ladders.RemoveAll(l => l.Disposed);
                _ladders.Add(ladder);
            }

            var packed = new PackedPicture(size);
            ladder.Choose(entries.Select(e => (Adapted(e) is { } adapter ? $"{e.Name}+{adapter.Name}" : e.Name, new Func<OnnxBinding>(() => Bind(e, provider, planes, packed)))));
            if (ladder.Current is not null)
                return ladder;
            ladder.Dispose();
        }

        return null;
    }

    private LoraAdapter? Adapted(ModelEntry entry) => _adapter?.Base == entry.Name ? _adapter : null;

    private OnnxBinding Bind(ModelEntry entry, ExecutionProvider provider, int planes, PackedPicture packed)
    {
        PackedPicture.CheckFits(entry, planes);
        OnnxModel? model;
        lock (_opening)
        {
            if (!_open.TryGetValue((entry.Name, provider), out model))
                _open[(entry.Name, provider)] = model = _pack!.Load(entry, provider, _threads, Adapted(entry));
        }

        return packed.Bind(model);
    }
}
