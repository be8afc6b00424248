using System.Collections.Concurrent;
using System.Reflection;
using System.Text.Json;
using Microsoft.Playwright;

namespace CmvcStream.Evaluate.Live;

/// <summary>A page of the pair, in a window of its own.</summary>
internal sealed class LivePage(IPage page, TimeSpan patience, CancellationToken stop)
{
    /// <summary>The value of an expression; that of a promise once it is kept.</summary>
    /// <exception cref="PlaywrightException">It throws.</exception>
    /// <exception cref="TimeoutException">It takes too long.</exception>
    public Task<T> EvaluateAsync<T>(string expression, object? argument = null) => page.EvaluateAsync<T>(expression, argument).WaitAsync(patience, stop);
}

/// <summary>Chromium without a window, with a page that sends and one that receives. Ends with this object.</summary>
internal sealed class LivePages : IAsyncDisposable
{
    /// <summary>How long anything that is asked of the browser may take.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private static readonly string[] Flags = [
        "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
        // Pages connect by address on this machine alone: no mDNS names, and loopback where there is no network.
        "--disable-features=WebRtcHideLocalIpsWithMdns", "--allow-loopback-in-peer-connection",
        // Neither page is ever in front.
        "--autoplay-policy=no-user-gesture-required", "--disable-background-timer-throttling", "--disable-renderer-backgrounding", "--disable-backgrounding-occluded-windows"];

    private readonly ConcurrentQueue<string> _complaints = [];
    private readonly IPlaywright _playwright;

    private LivePages(IPlaywright playwright) => _playwright = playwright;

    public LivePage Sender { get; private set; } = null!;

    public LivePage Receiver { get; private set; } = null!;

    /// <summary>Errors of the pages.</summary>
    public IReadOnlyCollection<string> Complaints => _complaints;

    /// <exception cref="PlaywrightException">The browser does not start.</exception>
    public static async Task<LivePages> OpenAsync(string program, string clip, CancellationToken stop)
    {
        var pages = new LivePages(await Playwright.CreateAsync().WaitAsync(Patience, stop));
        try
        {
            var browser = await pages._playwright.Chromium.LaunchAsync(new() { ExecutablePath = program, Args = Flags, Timeout = (float)Patience.TotalMilliseconds }).WaitAsync(Patience, stop);
            pages.Sender = await pages.OpenPageAsync(browser, "live-sender.js", clip, stop);
            pages.Receiver = await pages.OpenPageAsync(browser, "live-receiver.js", clip, stop);
            return pages;
        }
        catch
        {
            await pages.DisposeAsync();
            throw;
        }
    }

    public ValueTask DisposeAsync()
    {
        _playwright.Dispose(); // ends the browser as well
        return ValueTask.CompletedTask;
    }

    /// <summary>A page whose script and clip come from here: nothing is served on the network. The address is one that browsers trust with cameras.</summary>
    private async Task<LivePage> OpenPageAsync(IBrowser browser, string script, string clip, CancellationToken stop)
    {
        var context = await browser.NewContextAsync().WaitAsync(Patience, stop);
        var page = await context.NewPageAsync().WaitAsync(Patience, stop);
        page.PageError += (_, error) => _complaints.Enqueue(error);
        page.Console += (_, message) =>
        {
            if (message.Type == "error")
                _complaints.Enqueue(message.Text);
        };
        await page.RouteAsync("**/*", route => new Uri(route.Request.Url).AbsolutePath switch
        {
            "/" => route.FulfillAsync(new() { ContentType = "text/html", Body = $"<!DOCTYPE html><body><script src=\"{script}\"></script>" }),
            "/captured.mp4" => route.FulfillAsync(new() { ContentType = "video/mp4", Path = clip }),
            var path when path == "/" + script => route.FulfillAsync(new() { ContentType = "text/javascript", Body = Script(script) }),
            _ => route.FulfillAsync(new() { Status = 404 }),
        }).WaitAsync(Patience, stop);
        await page.GotoAsync("http://localhost/").WaitAsync(Patience, stop);
        return new(page, Patience, stop);
    }

    private static string Script(string name)
    {
        using var reader = new StreamReader(Assembly.GetExecutingAssembly().GetManifestResourceStream(name)!);
        return reader.ReadToEnd();
    }
}

/// <summary>What both pages report at the end.</summary>
internal sealed record PageReport(double[][] Captured, double[][] Sent, JsonElement[][] Shown, JsonElement[][] States, JsonElement[] Statistics)
{
    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web);

    public static PageReport Read(string json) => JsonSerializer.Deserialize<PageReport>(json, Options)!;
}
