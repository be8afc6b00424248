using System.ComponentModel;
using System.Diagnostics;
using System.Text.Json;

namespace CmvcStream.Receiver.Tests.Viewer;

/// <summary>How a test looks at the page.</summary>
internal sealed record PageLook(int Width = 1440, int Height = 860, bool LessMotion = false);

/// <summary>The page in a browser of its own, which ends with it.</summary>
internal interface IBrowserPage : IAsyncDisposable
{
    /// <summary>Errors, those on the console included.</summary>
    IReadOnlyCollection<string> Complaints { get; }

    /// <summary>The value of an expression; that of a promise once it is kept.</summary>
    Task<JsonElement> EvaluateAsync(string expression);

    Task PressAsync(char key);

    /// <summary>What is to be seen, as PNG.</summary>
    Task<byte[]> ScreenshotAsync();
}

/// <summary>A browser for the page: finds one and starts it.</summary>
internal abstract class Browser(string name, params string[] places)
{
    private readonly Lazy<string?> _program = new(() => Find(name, places));

    public string Name => name;

    /// <summary>The one that the environment names (CMVC_CHROMIUM, CMVC_FIREFOX), or one that runs where Linux has it; null: none.</summary>
    public string? Program => _program.Value;

    public string WhyAbsent => $"there is no {name} that runs; install it (not as a snap), or name it in {Variable(name)}";

    /// <summary>It says its version. Ubuntu's chromium-browser does not: it is a script that asks for a snap.</summary>
    public static bool Runs(string program)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(program, "--version") { RedirectStandardOutput = true, RedirectStandardError = true });
            if (process!.WaitForExit(TimeSpan.FromSeconds(20)))
                return process.ExitCode == 0;
            process.Kill(entireProcessTree: true);
            return false;
        }
        catch (Win32Exception)
        {
            return false;
        }
    }

    /// <summary>Starts the program, with this page in it.</summary>
    public abstract Task<IBrowserPage> OpenAsync(Uri url, PageLook look);

    private static string Variable(string name) => $"CMVC_{name.ToUpperInvariant()}";

    private static string? Find(string name, string[] places) =>
        Environment.GetEnvironmentVariable(Variable(name)) is { Length: > 0 } named ? named : places.FirstOrDefault(Runs);
}
