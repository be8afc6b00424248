using System.Text.Json;
using CmvcStream.Evaluate.Media;

namespace CmvcStream.Evaluate.Live;

/// <summary>A cmvc-throttle in front of a receiver.</summary>
internal sealed class ThrottledLink : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private readonly HttpClient _http = new() { Timeout = Patience };
    private readonly ChildProcess _program;
    private readonly Uri _control;

    private ThrottledLink(ChildProcess program, string endpoint, Uri control) => (_program, Endpoint, _control) = (program, endpoint, control);

    /// <summary>HOST:PORT to send to.</summary>
    public string Endpoint { get; }

    /// <param name="host">An address of this machine, on which it listens.</param>
    /// <param name="target">HOST:PORT of the receiver.</param>
    /// <param name="arguments">What kind of link, --udp included.</param>
    /// <param name="stop">Gives up.</param>
    /// <exception cref="EvaluateException">It is missing or does not start.</exception>
    public static async Task<ThrottledLink> StartAsync(string host, string target, string[] arguments, CancellationToken stop)
    {
        var path = Path.Combine(AppContext.BaseDirectory, "cmvc-throttle");
        if (!File.Exists(path))
            throw new EvaluateException($"{path} is missing; './cmvc setup' builds it");
        var program = ChildProcess.Start(path, ["--listen", host + ":0", "--to", target, "--control", "127.0.0.1:0", .. arguments]);
        try
        {
            var line = await program.OutputText.ReadLineAsync(stop).AsTask().WaitAsync(Patience, stop);
            var words = line?.Split(' ').Select(w => w.Split('=', 2)).Where(w => w.Length == 2).ToDictionary(w => w[0], w => w[1]);
            if (words is null || !words.TryGetValue("listen", out var listen) || !words.TryGetValue("control", out var control))
                throw new EvaluateException($"cmvc-throttle did not start: {program.LastWords()}");
            return new(program, listen, new(control));
        }
        catch (Exception e)
        {
            await program.DisposeAsync();
            if (e is TimeoutException)
                throw new EvaluateException($"cmvc-throttle did not start: {program.LastWords()}", e);
            throw;
        }
    }

    /// <summary>Bytes that it has delivered so far, headers included.</summary>
    public async Task<WireBytes> ReadAsync(CancellationToken stop)
    {
        using var statistics = JsonDocument.Parse(await _http.GetByteArrayAsync(_control, stop));
        return new(Of("up"), Of("down"));
        long Of(string way) => statistics.RootElement.GetProperty(way).GetProperty("bytes").GetInt64();
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await _program.DisposeAsync();
    }
}

/// <summary>Bytes on the wire in each direction.</summary>
internal readonly record struct WireBytes(long Up, long Down)
{
    /// <summary>What these are in kbit/s.</summary>
    public (double Up, double Down) Kbps(double seconds) => (Math.Round(Up * 8 / seconds / 1000, 2), Math.Round(Down * 8 / seconds / 1000, 2));
}
