using System.ComponentModel;
using System.Diagnostics;

namespace CmvcStream.Receiver.Tests.Viewer;

/// <summary>Finds a browser for the page.</summary>
internal static class Chromium
{
    private static readonly string[] Places = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

    /// <summary>The one that CMVC_CHROMIUM names, or one that runs where Linux has it; null: none.</summary>
    public static string? Find() => Environment.GetEnvironmentVariable("CMVC_CHROMIUM") is { Length: > 0 } named ? named : Places.FirstOrDefault(Runs);

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
}
