using System.CommandLine;
using System.CommandLine.Invocation;
using System.Diagnostics;
using System.Globalization;
using CmvcStream.CommandLine;
using CmvcStream.Core.Media;
using CmvcStream.Inference;
using CmvcStream.Receiver.Networks;

namespace CmvcStream.Receiver;

/// <summary>`./cmvc models`: which networks there are, whether they are whole, and how fast they are on this machine.</summary>
public static class ModelsCommand
{
    /// <summary>Runs of which the time is told.</summary>
    private const int Runs = 30;

    /// <summary>Runs the command; the result is its exit code: 0 done, 1 a network is damaged or does not run, 2 wrong usage.</summary>
    public static async Task<int> RunAsync(string[] args, TextWriter output, TextWriter error)
    {
        var parsed = Build(output, error).Parse(args);
        return parsed.Action is ParseErrorAction
            ? CommandOptions.Refuse("models", error, parsed.Errors.Select(e => e.Message))
            : await parsed.InvokeAsync(new() { Output = output, Error = error });
    }

    private static RootCommand Build(TextWriter output, TextWriter error)
    {
        var folder = new Option<string?>("--models") { HelpName = "FOLDER", Description = "The model pack of this folder in place of the built-in one.", Recursive = true };
        var provider = new Option<string>("--provider") { HelpName = "cpu|cuda", Description = "What runs them.", DefaultValueFactory = _ => "cpu" };
        provider.AcceptOnlyFromAmong("cpu", "cuda");
        var size = CommandOptions.Value("--size", "480x270", PixelSize.Parse, "Size of the picture.");
        size.DefaultValueFactory = _ => new(480, 270);
        var list = new Command("list", "The networks of the pack.");
        list.SetAction(r => Guard(error, () => List(Open(r.GetValue(folder)), output)));
        var verify = new Command("verify", "Checks that each network is whole, fits its manifest, and runs.");
        verify.SetAction(r => Guard(error, () => Verify(Open(r.GetValue(folder)), output, error)));
        var run = new Command("run", "Times each network on this machine.") { provider, size };
        run.SetAction(r => Guard(error, () => Run(Open(r.GetValue(folder)), r.GetValue(provider) == "cuda" ? ExecutionProvider.Cuda : ExecutionProvider.Cpu, r.GetValue(size), output, error)));
        return new("The networks that regenerate.") { folder, list, verify, run };
    }

    private static ModelPack Open(string? folder) => folder is null ? ModelPack.Embedded() : ModelPack.Open(folder);

    /// <summary>Planes that go into a network of a role; null: this version has no use for it.</summary>
    private static int? Planes(string role) => role switch { ModelRoles.Restore => KeyframeRestorer.Inputs, ModelRoles.Interpolate => FrameRefiner.Inputs, _ => null };

    /// <returns>1: it has failed, and that was told.</returns>
    private static int Try(TextWriter error, Action action) => Guard(error, () =>
    {
        action();
        return 0;
    });

    private static int Guard(TextWriter error, Func<int> action)
    {
        try
        {
            return action();
        }
        catch (ModelException e)
        {
            error.WriteLine($"models: {e.Message}");
            return 1;
        }
    }

    private static int List(ModelPack pack, TextWriter output)
    {
        output.WriteLine($"{pack.Place}, '{pack.Name}'");
        output.WriteLine($"{"name",-24}{"role",-14}{"for",-6}{"k multiplications a pixel",-28}{"licence",-10}card");
        foreach (var m in pack.Models)
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{m.Name,-24}{m.Role,-14}{m.Provider,-6}{m.Cost / 1000,-28:0.0}{m.Licence,-10}{m.Card}"));
        return 0;
    }

    private static int Verify(ModelPack pack, TextWriter output, TextWriter error)
    {
        var failed = 0;
        foreach (var entry in pack.Models)
        {
            failed += Try(error, () =>
            {
                using var model = pack.Load(entry);
                if (Planes(entry.Role) is not { } planes)
                {
                    output.WriteLine($"whole   {entry.Name} for {entry.Provider} ({entry.File}); this version has no use for the role '{entry.Role}'");
                    return;
                }

                PackedPicture.CheckFits(entry, planes);
                new PackedPicture(new(64, 48)).Bind(model).Dispose();
                output.WriteLine($"ok      {entry.Name} for {entry.Provider} ({entry.File})");
            });
        }

        return failed > 0 ? 1 : 0;
    }

    private static int Run(ModelPack pack, ExecutionProvider asked, PixelSize size, TextWriter output, TextWriter error)
    {
        var provider = ExecutionProviders.Choose(asked, m => error.WriteLine($"models: {m}"));
        if (provider != asked)
            return 1;
        var packed = new PackedPicture(size);
        var failed = 0;
        foreach (var entry in ModelRoles.Known.SelectMany(role => pack.Of(role, provider)))
        {
            failed += Try(error, () =>
            {
                PackedPicture.CheckFits(entry, Planes(entry.Role)!.Value);
                using var model = pack.Load(entry, provider);
                using var binding = packed.Bind(model);
                var times = new double[Runs];
                for (var i = 0; i < Runs; i++)
                {
                    var began = Stopwatch.GetTimestamp();
                    binding.Run();
                    times[i] = Stopwatch.GetElapsedTime(began).TotalMilliseconds;
                }

                Array.Sort(times);
                output.WriteLine(string.Create(CultureInfo.InvariantCulture,
                    $"{entry.Name,-24}{size}  {(provider == ExecutionProvider.Cuda ? "CUDA" : "CPU, one thread")}  median {times[Runs / 2]:0.0} ms, least {times[0]:0.0} ms of {Runs} runs"));
            });
        }

        return failed > 0 ? 1 : 0;
    }
}
