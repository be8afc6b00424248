using System.Globalization;
using System.Reflection;
using CmvcStream.Evaluate.Compare;
using CmvcStream.Evaluate.Media;

namespace CmvcStream.Evaluate;

/// <summary>What an evaluation was made on and with.</summary>
internal static class Machine
{
    private static readonly string[] Libraries = ["libx264-*", "libx265-*", "libaom3", "libsvtav1enc*"];

    /// <exception cref="EvaluateException">There is no ffmpeg.</exception>
    public static async Task<MadeOn> DescribeAsync(CancellationToken stop)
    {
        var versions = new Dictionary<string, string>
        {
            ["product"] = Assembly.GetExecutingAssembly().GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown",
            ["ffmpeg"] = (await ChildProcess.RunAsync("ffmpeg", ["-version"], stop: stop)).Split(' ').ElementAtOrDefault(2) ?? "unknown",
        };
        foreach (var (name, version) in await LibrariesAsync(stop))
            versions[name] = version;
        var date = DateTime.UtcNow.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
        return new(date, $"{Environment.ProcessorCount} cores of {Processor()}", versions["product"], versions);
    }

    /// <summary>Versions of the encoders' libraries, where a package manager knows them.</summary>
    private static async Task<IEnumerable<(string Name, string Version)>> LibrariesAsync(CancellationToken stop)
    {
        try
        {
            const string Query = "dpkg-query -W -f '${db:Status-Abbrev} ${Package} ${Version}\\n'";
            var said = await ChildProcess.RunAsync("sh", ["-c", $"{Query} {string.Join(' ', Libraries.Select(l => $"'{l}'"))} || true"], stop: stop);
            return said.Split('\n').Select(l => l.Split(' ', StringSplitOptions.RemoveEmptyEntries)).Where(w => w is ["ii", _, _]).Select(w => (w[1], w[2]));
        }
        catch (EvaluateException)
        {
            return [];
        }
    }

    private static string Processor()
    {
        const string Info = "/proc/cpuinfo";
        var line = File.Exists(Info) ? File.ReadLines(Info).FirstOrDefault(l => l.StartsWith("model name", StringComparison.Ordinal)) : null;
        return line?.Split(':', 2)[1].Trim() ?? "an unknown processor";
    }
}
