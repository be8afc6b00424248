using System.Text.Json;
using CmvcStream.Receiver.Viewer;
using Microsoft.Playwright;

namespace CmvcStream.Receiver.Tests.Viewer;

/// <summary>
/// The page in a real browser. Needs Chromium: CMVC_CHROMIUM, or where Linux has it. With CMVC_SCREENSHOTS set to a folder, leaves
/// pictures of the page there.
/// </summary>
public sealed class BrowserTests : IAsyncLifetime
{
    private const float PatienceMs = 20_000;
    private readonly CancellationTokenSource _over = new();
    private readonly List<string> _complaints = [];
    private IPlaywright? _playwright;
    private IBrowser? _browser;
    private PageFeed? _feed;

    public async ValueTask InitializeAsync()
    {
        var program = Chromium.Find();
        Assert.SkipWhen(program is null, "there is no Chromium that runs; install it (not as a snap), or name it in CMVC_CHROMIUM");
        _feed = await PageFeed.MakeAsync();
        _playwright = await Playwright.CreateAsync();
        _browser = await _playwright.Chromium.LaunchAsync(new()
        {
            ExecutablePath = program,
            Args = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
        });
    }

    public async ValueTask DisposeAsync()
    {
        await _over.CancelAsync();
        if (_browser is not null)
            await _browser.DisposeAsync();
        _playwright?.Dispose();
        _over.Dispose();
    }

    [Fact]
    public async Task Page_WhilePicturesCome_ShowsThemMovingWithTheirProvenance()
    {
        await using var host = await StartAsync();
        var feed = PageFeed.RunAsync(host, _over.Token);
        var page = await OpenAsync(host);

        await UntilAsync(page, "cmvc.displayed > 60");

        // What is on screen changes.
        var pictures = new HashSet<string>();
        for (var i = 0; i < 4; i++)
        {
            pictures.Add(await page.EvaluateAsync<string>("document.querySelector('#picture').toDataURL()"));
            await page.WaitForTimeoutAsync(120);
        }

        Assert.True(pictures.Count > 1, "the picture stands still");
        // The badge says, in words, what the frame on screen is; both kinds come up.
        foreach (var word in new[] { "transmitted", "interpolated" })
            await UntilAsync(page, $"cmvc.provenance === '{word}' && document.querySelector('#badge-word').textContent === '{word}'");

        await UntilAsync(page, "cmvc.latencyMs !== null");
        var report = await page.EvaluateAsync<JsonElement>("({ ...cmvc, state: null })");
        TestContext.Current.TestOutputHelper?.WriteLine($"{report}");
        Assert.InRange(report.GetProperty("latencyMs").GetDouble(), 0, 200);
        Assert.Equal(0, report.GetProperty("broken").GetInt32());
        await ScreenshotAsync(page, "live");
        Assert.Empty(_complaints);
        await _over.CancelAsync();
        await feed;
    }

    [Fact]
    public async Task Page_WithState_ShowsFiguresAndTexts()
    {
        await using var host = await StartAsync();
        var page = await OpenAsync(host);

        await UntilAsync(page, "document.querySelector('#wire-rx').textContent === '7.6'");

        Assert.Equal("IT2V", await page.TextContentAsync("#mode"));
        Assert.Equal("Connected", await page.TextContentAsync("#connection"));
        Assert.Equal("2.4 s", await page.TextContentAsync("#latency"));
        Assert.Contains("Warm low sun", await page.TextContentAsync("#caption"), StringComparison.Ordinal);
        Assert.Equal(3, await page.Locator("#transcript li").CountAsync());
        Assert.StartsWith("0:14", await page.Locator("#transcript li").First.TextContentAsync(), StringComparison.Ordinal);
        Assert.Empty(_complaints);
    }

    [Fact]
    public async Task Page_BeforeAnySender_SaysWhereItListens()
    {
        await using var host = await StartAsync();
        host.State.Now = new() { Phase = StreamPhase.Waiting, Listen = "http://0.0.0.0:9000", Fps = 30 };
        var page = await OpenAsync(host);

        await UntilAsync(page, "document.querySelector('#notice-title').textContent === 'No sender yet'");

        Assert.True(await page.IsVisibleAsync("#notice"));
        Assert.Contains("listening at http://0.0.0.0:9000", await page.TextContentAsync("#notice-text"), StringComparison.Ordinal);
        Assert.EndsWith("--to http://127.0.0.1:9000", await page.TextContentAsync("#notice-hint"), StringComparison.Ordinal);
        await ScreenshotAsync(page, "waiting");
    }

    [Fact]
    public async Task Page_PictureIsHeld_SaysHowOldItIs()
    {
        await using var host = await StartAsync();
        var feed = PageFeed.RunAsync(host, _over.Token, holdFrom: 30);
        var page = await OpenAsync(host);

        await UntilAsync(page, "/Picture is [2-9] s old/.test(document.querySelector('#stale').textContent)");

        Assert.True(await page.IsVisibleAsync("#stale"));
        Assert.Equal("held", await page.TextContentAsync("#badge-word"));
        await ScreenshotAsync(page, "held");
        await _over.CancelAsync();
        await feed;
    }

    [Fact]
    public async Task Page_ReceiverRestarts_ComesBackByItself()
    {
        var host = await StartAsync();
        var page = await OpenAsync(host);
        using (var firstRun = new CancellationTokenSource())
        {
            var feed = PageFeed.RunAsync(host, firstRun.Token);
            await UntilAsync(page, "cmvc.displayed > 5");
            await firstRun.CancelAsync();
            await feed;
        }

        await host.DisposeAsync();
        await UntilAsync(page, "!cmvc.connected && document.querySelector('#connection').textContent === 'Receiver not reached'");
        await UntilAsync(page, "/Picture is [1-9] s old/.test(document.querySelector('#stale').textContent)");

        await using var again = await StartAsync(host.Server.Url.Port);
        var secondFeed = PageFeed.RunAsync(again, _over.Token);

        await UntilAsync(page, "cmvc.connected && cmvc.connections === 2");
        var before = await page.EvaluateAsync<int>("cmvc.displayed");
        await UntilAsync(page, $"cmvc.displayed > {before + 10}");
        await _over.CancelAsync();
        await secondFeed;
    }

    [Fact]
    public async Task Page_LessMotionAskedFor_ChangesTheBadgeAtMostTwiceASecond()
    {
        await using var host = await StartAsync();
        var feed = PageFeed.RunAsync(host, _over.Token);
        var page = await OpenAsync(host, new() { ReducedMotion = ReducedMotion.Reduce });
        await UntilAsync(page, "cmvc.displayed > 30");

        var changes = await page.EvaluateAsync<int>(
            """
            new Promise((done) => {
              let changes = 0;
              new MutationObserver(() => changes++).observe(document.querySelector("#badge-word"), { childList: true });
              setTimeout(() => done(changes), 2000);
            })
            """);

        Assert.InRange(changes, 0, 4);
        Assert.Equal("interpolated", await page.TextContentAsync("#badge-word"));
        await _over.CancelAsync();
        await feed;
    }

    [Fact]
    public async Task Page_KeyF_GoesFullScreenAndBack()
    {
        await using var host = await StartAsync();
        var feed = PageFeed.RunAsync(host, _over.Token);
        var page = await OpenAsync(host);
        await UntilAsync(page, "cmvc.displayed > 5");

        await page.Keyboard.PressAsync("f");
        await UntilAsync(page, "document.fullscreenElement?.id === 'stage'");
        Assert.True(await page.IsVisibleAsync("#badge"));
        await ScreenshotAsync(page, "fullscreen");
        await page.Keyboard.PressAsync("f");

        await UntilAsync(page, "document.fullscreenElement === null");
        await _over.CancelAsync();
        await feed;
    }

    [Fact]
    public async Task Page_OnAPhone_HasNoSidewaysScrolling()
    {
        await using var host = await StartAsync();
        var feed = PageFeed.RunAsync(host, _over.Token);
        var page = await OpenAsync(host, new() { ViewportSize = new() { Width = 390, Height = 844 } });
        await UntilAsync(page, "cmvc.displayed > 5");

        Assert.Equal(390, await page.EvaluateAsync<int>("document.documentElement.scrollWidth"));
        await ScreenshotAsync(page, "phone");
        await _over.CancelAsync();
        await feed;
    }

    private async Task<ViewerHost> StartAsync(int port = 0)
    {
        var host = await ViewerHost.StartAsync(_feed, port: port);
        SceneLine[] lines =
        [
            new(0.4, 1, "Bright overcast daylight, muted greens.", "Camera still."),
            new(6.2, 1, "Bright overcast daylight, muted greens.", "Slow pan to the right."),
            new(14.8, 2, "Warm low sun on water, orange and slate blue.", "Gentle forward drift."),
        ];
        host.State.Now = new()
        {
            Phase = StreamPhase.Connected,
            Listen = "http://127.0.0.1:9000",
            Mode = "IT2V",
            Source = "file:boat.mp4",
            Fps = 30,
            WireRxKbps = 7.6,
            WireTxKbps = 0.4,
            Payload = new(24_310, 4_120, 610, 380),
            KeyframeAgeSeconds = 0.3,
            Frames = new(128, 902, 14, 36),
            LatencyMs = 2400,
            Scene = lines[^1],
            Transcript = lines,
        };
        return host;
    }

    private async Task<IPage> OpenAsync(ViewerHost host, BrowserNewPageOptions? options = null)
    {
        options ??= new();
        options.ViewportSize ??= new() { Width = 1440, Height = 860 };
        var page = await _browser!.NewPageAsync(options);
        page.PageError += (_, error) => _complaints.Add(error);
        page.Console += (_, message) =>
        {
            if (message.Type == "error")
                _complaints.Add(message.Text);
        };
        await page.GotoAsync(host.Server.Url.ToString(), new() { Timeout = PatienceMs });
        return page;
    }

    /// <summary>Waits until an expression is true, looking at every frame. (Playwright's own way needs eval, which the page forbids.)</summary>
    private static Task UntilAsync(IPage page, string expression) => page.EvaluateAsync(
        $$"""
        new Promise((done, fail) => {
          const end = performance.now() + {{PatienceMs}};
          const look = () => {
            if ({{expression}}) done();
            else if (performance.now() > end) fail(new Error("never came true; page: " + JSON.stringify(cmvc)));
            else requestAnimationFrame(look);
          };
          look();
        })
        """);

    private static async Task ScreenshotAsync(IPage page, string name)
    {
        if (Environment.GetEnvironmentVariable("CMVC_SCREENSHOTS") is { Length: > 0 } folder)
            await page.ScreenshotAsync(new() { Path = Path.Combine(folder, name + ".png") });
    }
}
