using CmvcStream.Evaluate.Media;

namespace CmvcStream.Evaluate.Live;

/// <summary>Finds Chromium, which nobody needs but who compares with WebRTC.</summary>
internal static class BrowserProgram
{
    public const string WhyAbsent = "there is no Chromium that runs; install it (not as a snap), or name it in CMVC_CHROMIUM";
    private static readonly string[] Places = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

    /// <summary>The one that the environment names, or one that runs where Linux has it; null: none.</summary>
    public static async Task<string?> FindAsync(CancellationToken stop)
    {
        if (Environment.GetEnvironmentVariable("CMVC_CHROMIUM") is { Length: > 0 } named)
            return File.Exists(named) ? named : null;
        foreach (var place in Places.Where(File.Exists))
        {
            try
            {
                // Ubuntu's chromium-browser says no version: it is a script that asks for a snap.
                await ChildProcess.RunAsync(place, ["--version"], stop: stop).WaitAsync(TimeSpan.FromSeconds(20), stop);
                return place;
            }
            catch (Exception e) when (e is EvaluateException or TimeoutException) { }
        }

        return null;
    }
}
