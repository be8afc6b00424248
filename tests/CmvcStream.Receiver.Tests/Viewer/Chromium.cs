using System.Collections.Concurrent;
using System.Text.Json;
using Microsoft.Playwright;

namespace CmvcStream.Receiver.Tests.Viewer;

/// <summary>Chromium or Chrome, through Playwright.</summary>
internal sealed class Chromium : Browser
{
    public static readonly Chromium Instance = new();

    private Chromium() : base("Chromium", "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome") { }

    public override async Task<IBrowserPage> OpenAsync(Uri url, PageLook look)
    {
        var playwright = await Playwright.CreateAsync();
        try
        {
            var browser = await playwright.Chromium.LaunchAsync(new()
            {
                ExecutablePath = Program,
                Args = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
            });
            var page = new Page(playwright, await browser.NewPageAsync(new()
            {
                ViewportSize = new() { Width = look.Width, Height = look.Height },
                ReducedMotion = look.LessMotion ? ReducedMotion.Reduce : ReducedMotion.NoPreference,
            }));
            await page.GoToAsync(url);
            return page;
        }
        catch
        {
            playwright.Dispose(); // ends the browser as well
            throw;
        }
    }

    private sealed class Page : IBrowserPage
    {
        private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);
        private readonly ConcurrentQueue<string> _complaints = [];
        private readonly IPlaywright _playwright;
        private readonly IPage _page;

        public Page(IPlaywright playwright, IPage page)
        {
            (_playwright, _page) = (playwright, page);
            page.PageError += (_, error) => _complaints.Enqueue(error);
            page.Console += (_, message) =>
            {
                if (message.Type == "error")
                    _complaints.Enqueue(message.Text);
            };
        }

        public IReadOnlyCollection<string> Complaints => _complaints;

        public Task GoToAsync(Uri url) => _page.GotoAsync(url.ToString());

        public async Task<JsonElement> EvaluateAsync(string expression) => await _page.EvaluateAsync(expression).WaitAsync(Limit) ?? default;

        public Task PressAsync(char key) => _page.Keyboard.PressAsync(key.ToString());

        public Task<byte[]> ScreenshotAsync() => _page.ScreenshotAsync();

        public async ValueTask DisposeAsync()
        {
            await _page.Context.Browser!.DisposeAsync();
            _playwright.Dispose();
        }
    }
}
