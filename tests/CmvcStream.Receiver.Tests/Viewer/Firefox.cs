using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json;

namespace CmvcStream.Receiver.Tests.Viewer;

/// <summary>Any Firefox as it is distributed, through WebDriver BiDi. (Playwright drives none but its own build.)</summary>
/// <remarks>Ubuntu's /usr/bin/firefox is not looked at: it starts a snap, which does not see a profile under /tmp.</remarks>
internal sealed class Firefox : Browser
{
    public static readonly Firefox Instance = new();

    private Firefox() : base("Firefox", "/usr/bin/firefox-esr", "/usr/lib/firefox/firefox", "/usr/lib64/firefox/firefox") { }

    public override async Task<IBrowserPage> OpenAsync(Uri url, PageLook look)
    {
        var page = new Page();
        try
        {
            await page.OpenAsync(Program!, url, look);
            return page;
        }
        catch
        {
            await page.DisposeAsync();
            throw;
        }
    }

    /// <summary>The page, the program that shows it, and the folder that is its profile and home.</summary>
    private sealed class Page : IBrowserPage
    {
        /// <summary>What a new profile would ask the network and the user; what is left of the former finds a proxy that is not there.</summary>
        private static readonly Dictionary<string, object> Preferences = new()
        {
            ["app.normandy.enabled"] = false,
            ["app.update.disabledForTesting"] = true,
            ["browser.aboutwelcome.enabled"] = false,
            ["browser.newtabpage.enabled"] = false,
            ["browser.region.network.url"] = "",
            ["browser.safebrowsing.downloads.remote.enabled"] = false,
            ["browser.safebrowsing.malware.enabled"] = false,
            ["browser.safebrowsing.phishing.enabled"] = false,
            ["browser.search.update"] = false,
            ["browser.startup.page"] = 0,
            ["datareporting.healthreport.uploadEnabled"] = false,
            ["datareporting.policy.dataSubmissionEnabled"] = false,
            ["dom.push.connection.enabled"] = false,
            ["extensions.getAddons.cache.enabled"] = false,
            ["extensions.systemAddon.update.enabled"] = false,
            ["extensions.update.enabled"] = false,
            ["media.gmp-manager.updateEnabled"] = false,
            ["network.captive-portal-service.enabled"] = false,
            ["network.connectivity-service.enabled"] = false,
            ["network.proxy.http"] = "127.0.0.1",
            ["network.proxy.http_port"] = 9,
            ["network.proxy.ssl"] = "127.0.0.1",
            ["network.proxy.ssl_port"] = 9,
            ["network.proxy.type"] = 1, // for all but loopback
            ["services.settings.server"] = "data:,#remote-settings-dummy/v1",
            ["toolkit.telemetry.server"] = "",
        };

        private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);
        private readonly string _home = Directory.CreateTempSubdirectory("cmvc-firefox-").FullName;
        private readonly ConcurrentQueue<string> _complaints = [];
        private Process? _process;
        private BiDiSession? _session;
        private string _context = "";

        public IReadOnlyCollection<string> Complaints => _complaints;

        public async Task OpenAsync(string program, Uri url, PageLook look)
        {
            var preferences = Preferences.Append(new("ui.prefersReducedMotion", look.LessMotion ? 1 : 0));
            await File.WriteAllLinesAsync(Path.Combine(_home, "user.js"), preferences.Select(static p => $"user_pref(\"{p.Key}\", {JsonSerializer.Serialize(p.Value)});"));
            _session = await BiDiSession.StartAsync(await StartAsync(program).WaitAsync(Limit), Hear);
            var tab = await _session.SendAsync("browsingContext.create", new { type = "tab" });
            _context = tab.GetProperty("context").GetString()!;
            await _session.SendAsync("session.subscribe", new { events = new[] { "log.entryAdded" }, contexts = new[] { _context } });
            await _session.SendAsync("browsingContext.setViewport", new { context = _context, viewport = new { width = look.Width, height = look.Height } });
            await _session.SendAsync("browsingContext.navigate", new { context = _context, url, wait = "complete" });
        }

        public async Task<JsonElement> EvaluateAsync(string expression)
        {
            // As JSON, since BiDi has a notation of its own for values.
            var answer = await _session!.SendAsync("script.evaluate", new
            {
                expression = $"Promise.resolve({expression}).then((value) => JSON.stringify(value ?? null))",
                target = new { context = _context },
                awaitPromise = true,
            });
            if (answer.GetProperty("type").GetString() != "success")
                throw new InvalidOperationException(answer.GetProperty("exceptionDetails").GetProperty("text").GetString());
            return JsonSerializer.Deserialize<JsonElement>(answer.GetProperty("result").GetProperty("value").GetString()!);
        }

        public Task PressAsync(char key) => _session!.SendAsync("input.performActions", new
        {
            context = _context,
            actions = new[] { new { type = "key", id = "keyboard", actions = new[] { new { type = "keyDown", value = key }, new { type = "keyUp", value = key } } } },
        });

        public async Task<byte[]> ScreenshotAsync()
        {
            var answer = await _session!.SendAsync("browsingContext.captureScreenshot", new { context = _context });
            return answer.GetProperty("data").GetBytesFromBase64();
        }

        public async ValueTask DisposeAsync()
        {
            _session?.Dispose();
            if (_process is not null)
            {
                _process.Kill(entireProcessTree: true);
                await _process.WaitForExitAsync().WaitAsync(Limit);
                _process.Dispose();
            }

            Directory.Delete(_home, recursive: true);
        }

        /// <summary>Where the program listens, once it says so.</summary>
        private Task<Uri> StartAsync(string program)
        {
            const string Listens = "WebDriver BiDi listening on ";
            var address = new TaskCompletionSource<Uri>(TaskCreationOptions.RunContinuationsAsynchronously);
            var said = new ConcurrentQueue<string>();
            string[] arguments = ["--headless", "--no-remote", "--profile", _home, "--remote-debugging-port", "0", "about:blank"];
            var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
            start.Environment["HOME"] = _home; // it writes there as well, and as root refuses another user's
            start.Environment["MOZ_CRASHREPORTER_DISABLE"] = "1";
            start.Environment["MOZ_REMOTE_SETTINGS_DEVTOOLS"] = "1"; // else services.settings.server counts for nothing
            _process = Process.Start(start)!;
            _process.OutputDataReceived += static (_, _) => { };
            _process.ErrorDataReceived += (_, line) =>
            {
                said.Enqueue(line.Data ?? "");
                if (line.Data is null)
                    address.TrySetException(new InvalidOperationException($"Firefox ended before it listened: {string.Join('\n', said)}"));
                else if (line.Data.StartsWith(Listens, StringComparison.Ordinal))
                    address.TrySetResult(new(line.Data[Listens.Length..]));
            };
            _process.BeginOutputReadLine();
            _process.BeginErrorReadLine();
            return address.Task;
        }

        private void Hear(string happened, JsonElement entry)
        {
            if (happened == "log.entryAdded" && entry.GetProperty("level").GetString() == "error")
                _complaints.Enqueue(entry.GetProperty("text").GetString()!);
        }
    }
}
