using CmvcStream.Receiver.Viewer;

namespace CmvcStream.Receiver.Tests.Viewer;

/// <summary>
/// The page in a real browser, one after another: each wants the machine for itself. With CMVC_SCREENSHOTS set to a folder, leaves
/// pictures of the page there.
/// </summary>
[Collection(nameof(BrowserTests))]
public abstract class BrowserTests : IAsyncLifetime
{
    private const float PatienceMs = 20_000;
    private readonly CancellationTokenSource _over = new();
    private readonly Browser _browser;
    private PageFeed? _feed;
    private IBrowserPage? _page;

    private protected BrowserTests(Browser browser) => _browser = browser;

    private IBrowserPage Page => _page!;

    public async ValueTask InitializeAsync()
    {
        Assert.SkipWhen(_browser.Program is null, _browser.WhyAbsent);
        _feed = await PageFeed.MakeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _over.CancelAsync();
        if (_page is not null)
            await _page.DisposeAsync();
        _over.Dispose();
    }

    [Fact]
    public async Task Page_WhilePicturesCome_ShowsThemMovingWithTheirProvenance()
    {
        await using var host = await StartAsync();
        var feed = PageFeed.RunAsync(host, _over.Token);
        await OpenAsync(host);

        await UntilAsync("cmvc.displayed > 60");

        // What is on screen changes.
        var pictures = new HashSet<string>();
        for (var i = 0; i < 4; i++)
        {
            pictures.Add($"{await Page.EvaluateAsync("document.querySelector('#picture').toDataURL()")}");
            await Task.Delay(120);
        }

        Assert.True(pictures.Count > 1, "the picture stands still");
        // The badge says, in words, what the frame on screen is; all kinds come up.
        foreach (var word in new[] { "transmitted", "restored", "interpolated" })
            await UntilAsync($"cmvc.provenance === '{word}' && document.querySelector('#badge-word').textContent === '{word}'");

        await UntilAsync("cmvc.latencyMs !== null && cmvc.latencyMs < 200 && /^1?[0-9]{1,2} ms$/.test(document.querySelector('#page-latency').textContent)");
        var report = await Page.EvaluateAsync("({ ...cmvc, state: null })");
        TestContext.Current.TestOutputHelper?.WriteLine($"{report}");
        Assert.Equal(0, report.GetProperty("broken").GetInt32());
        await ScreenshotAsync("live");
        Assert.Empty(Page.Complaints);
        await _over.CancelAsync();
        await feed;
    }

    [Fact]
    public async Task Page_WithState_ShowsFiguresAndTexts()
    {
        await using var host = await StartAsync();
        await OpenAsync(host);

        await UntilAsync("document.querySelector('#wire-rx').textContent === '7.6'");

        Assert.Equal("IT2V", await TextAsync("#mode"));
        Assert.Equal("Connected", await TextAsync("#connection"));
        Assert.Equal("2.4 s", await TextAsync("#latency"));
        Assert.Equal("restore-medium on the CPU", await TextAsync("#network"));
        Assert.Contains("Warm low sun", await TextAsync("#caption"), StringComparison.Ordinal);
        Assert.Equal(3, await NumberAsync("document.querySelectorAll('#transcript li').length"));
        Assert.StartsWith("0:14", await TextAsync("#transcript li"), StringComparison.Ordinal);
        Assert.Empty(Page.Complaints);
    }

    [Fact]
    public async Task Page_BeforeAnySender_SaysWhereItListens()
    {
        await using var host = await StartAsync();
        host.State.Now = new() { Phase = StreamPhase.Waiting, Listen = "http://0.0.0.0:9000", Fps = 30 };
        await OpenAsync(host);

        await UntilAsync("document.querySelector('#notice-title').textContent === 'No sender yet'");

        Assert.True(await IsVisibleAsync("#notice"));
        Assert.Contains("listening at http://0.0.0.0:9000", await TextAsync("#notice-text"), StringComparison.Ordinal);
        Assert.EndsWith("--to http://127.0.0.1:9000", await TextAsync("#notice-hint"), StringComparison.Ordinal);
        await ScreenshotAsync("waiting");
    }

    [Fact]
    public async Task Page_PictureIsHeld_SaysHowOldItIs()
    {
        await using var host = await StartAsync();
        await OpenAsync(host);
        var feed = PageFeed.RunAsync(host, _over.Token, holdFrom: 30);

        await UntilAsync("/Picture is ([2-9]|[0-9]{2,}) s old/.test(document.querySelector('#stale').textContent)");

        Assert.True(await IsVisibleAsync("#stale"));
        Assert.Equal("held", await TextAsync("#badge-word"));
        await ScreenshotAsync("held");
        await _over.CancelAsync();
        await feed;
    }

    [Fact]
    public async Task Page_ReceiverRestarts_ComesBackByItself()
    {
        var host = await StartAsync();
        await OpenAsync(host);
        using (var firstRun = new CancellationTokenSource())
        {
            var feed = PageFeed.RunAsync(host, firstRun.Token);
            await UntilAsync("cmvc.displayed > 5");
            await firstRun.CancelAsync();
            await feed;
        }

        await host.DisposeAsync();
        await UntilAsync("!cmvc.connected && document.querySelector('#connection').textContent === 'Receiver not reached'");
        await UntilAsync("/Picture is ([2-9]|[0-9]{2,}) s old/.test(document.querySelector('#stale').textContent)");
        // It has not knocked with sockets meanwhile, which Firefox would make it wait for (one may have met the receiver as it went).
        Assert.InRange(Page.Complaints.Count(static complaint => complaint.Contains("ws://", StringComparison.Ordinal)), 0, 1);
        var connections = await NumberAsync("cmvc.connections");

        await using var again = await StartAsync(host.Server.Url.Port);
        var secondFeed = PageFeed.RunAsync(again, _over.Token);

        await UntilAsync($"cmvc.connected && cmvc.connections > {connections}");
        var before = await NumberAsync("cmvc.displayed");
        await UntilAsync($"cmvc.displayed > {before + 10}");
        await _over.CancelAsync();
        await secondFeed;
    }

    [Fact]
    public async Task Page_LessMotionAskedFor_ChangesTheBadgeAtMostTwiceASecond()
    {
        await using var host = await StartAsync();
        var feed = PageFeed.RunAsync(host, _over.Token);
        await OpenAsync(host, new(LessMotion: true));
        Assert.True(await IsTrueAsync("matchMedia('(prefers-reduced-motion: reduce)').matches"));
        await UntilAsync("cmvc.displayed > 30");

        var changes = await NumberAsync(
            """
            new Promise((done) => {
              let changes = 0;
              new MutationObserver(() => changes++).observe(document.querySelector("#badge-word"), { childList: true });
              setTimeout(() => done(changes), 2000);
            })
            """);

        Assert.InRange(changes, 0, 4);
        Assert.Equal("interpolated", await TextAsync("#badge-word"));
        await _over.CancelAsync();
        await feed;
    }

    [Fact]
    public async Task Page_KeyF_GoesFullScreenAndBack()
    {
        await using var host = await StartAsync();
        var feed = PageFeed.RunAsync(host, _over.Token);
        await OpenAsync(host);
        await UntilAsync("cmvc.displayed > 5");

        await Page.PressAsync('f');
        await UntilAsync("document.fullscreenElement?.id === 'stage'");
        Assert.True(await IsVisibleAsync("#badge"));
        await ScreenshotAsync("fullscreen");
        await Page.PressAsync('f');

        await UntilAsync("document.fullscreenElement === null");
        await _over.CancelAsync();
        await feed;
    }

    [Fact]
    public async Task Page_OnAPhone_HasNoSidewaysScrolling()
    {
        await using var host = await StartAsync();
        var feed = PageFeed.RunAsync(host, _over.Token);
        await OpenAsync(host, new(390, 844));
        await UntilAsync("cmvc.displayed > 5");

        Assert.Equal(390, await NumberAsync("innerWidth"));
        Assert.Equal(await NumberAsync("document.documentElement.clientWidth"), await NumberAsync("document.documentElement.scrollWidth"));
        await ScreenshotAsync("phone");
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
            Frames = new(28, 100, 902, 14, 36),
            Network = "restore-medium on the CPU",
            LatencyMs = 2400,
            Scene = lines[^1],
            Transcript = lines,
        };
        return host;
    }

    private async Task OpenAsync(ViewerHost host, PageLook? look = null) => _page = await _browser.OpenAsync(host.Server.Url, look ?? new());

    /// <summary>Waits until an expression is true, looking at every frame. (Playwright's own way needs eval, which the page forbids.)</summary>
    private Task UntilAsync(string expression) => Page.EvaluateAsync(
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

    private async Task<int> NumberAsync(string expression) => (await Page.EvaluateAsync(expression)).GetInt32();

    private async Task<string?> TextAsync(string selector) => (await Page.EvaluateAsync($"document.querySelector('{selector}').textContent")).GetString();

    private async Task<bool> IsTrueAsync(string expression) => (await Page.EvaluateAsync(expression)).GetBoolean();

    private Task<bool> IsVisibleAsync(string selector) => IsTrueAsync($"document.querySelector('{selector}').checkVisibility()");

    private async Task ScreenshotAsync(string name)
    {
        if (Environment.GetEnvironmentVariable("CMVC_SCREENSHOTS") is { Length: > 0 } folder)
            await File.WriteAllBytesAsync(Path.Combine(folder, $"{_browser.Name.ToLowerInvariant()}-{name}.png"), await Page.ScreenshotAsync());
    }
}
