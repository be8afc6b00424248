using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using CmvcStream.Receiver.Present;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace CmvcStream.Receiver.Viewer;

/// <summary>Serves the page that shows the stream: "/" and its files, "/api/state", and "/live" (WebSocket: pictures and state).</summary>
public sealed class ViewerServer : IAsyncDisposable
{
    private static readonly TimeSpan StopWithin = TimeSpan.FromSeconds(2);
    private readonly WebApplication _app;
    private readonly ViewerHub _hub;
    private readonly ViewerGate _gate;
    private readonly TimeProvider _time;
    private int _disposed;

    private ViewerServer(ViewerOptions options, IViewerState state, IPictureEncoder encoder, TimeProvider time)
    {
        _time = time;
        _gate = new(options);
        _hub = new(options, state, time);
        Sink = new(_hub, encoder, options.Quality, time);
        Url = options.Url;
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => Configure(kestrel, options.Url));
        // Signals are the program's affair.
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        _app = builder.Build();
        _app.UseWebSockets(new() { KeepAliveInterval = TimeSpan.FromSeconds(10), KeepAliveTimeout = TimeSpan.FromSeconds(10) });
        _app.Run(AnswerAsync);
    }

    /// <summary>Where the page is; with the port that was taken.</summary>
    public Uri Url { get; private set; }

    /// <summary>Takes the frames to show. Its owner (the fan-out) disposes it.</summary>
    public ViewerSink Sink { get; }

    /// <summary>Pages that watch.</summary>
    public int Viewers => _hub.Viewers;

    /// <summary>Pictures that some page did not get because it was too slow.</summary>
    public long Skipped => _hub.Skipped;

    /// <summary>Opens the page.</summary>
    /// <exception cref="SinkException">The address cannot be used.</exception>
    public static async Task<ViewerServer> StartAsync(
        ViewerOptions options, IViewerState state, IPictureEncoder encoder, TimeProvider time, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(options);
        ViewerServer? server = null;
        try
        {
            server = new(options, state, encoder, time);
            await server._app.StartAsync(cancellationToken);
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            if (server is not null)
                await server.DisposeAsync();
            throw new SinkException($"cannot open the viewer page at {options.Url}: {e.Message}; choose another --view address", e);
        }

        var bound = server._app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
        server.Url = new UriBuilder(options.Url) { Port = new Uri(bound).Port }.Uri;
        server._hub.Start();
        return server;
    }

    /// <summary>Says goodbye to all pages and closes. The pages come back by themselves when a receiver opens there again.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 1)
            return;
        await Sink.DisposeAsync();
        await _hub.DisposeAsync();
        using var patience = new CancellationTokenSource(StopWithin);
        await _app.StopAsync(patience.Token);
        await _app.DisposeAsync();
    }

    private static void Configure(KestrelServerOptions kestrel, Uri url)
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxConcurrentConnections = 128;
        kestrel.Limits.MaxRequestBodySize = 0;
        kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(10);
        kestrel.ConfigureEndpointDefaults(endpoint => endpoint.Protocols = HttpProtocols.Http1);
        if (IPAddress.TryParse(url.Host.Trim('[', ']'), out var address))
        {
            kestrel.Listen(address, url.Port);
            return;
        }

        // Both loopback addresses, or the one that the machine has. A free port cannot be the same on both.
        if (url.Host == "localhost" && url.Port > 0)
            kestrel.ListenLocalhost(url.Port);
        else if (url.Host == "localhost")
            kestrel.Listen(IPAddress.Loopback, 0);
        else
            ListenOn(kestrel, url);
    }

    private static void ListenOn(KestrelServerOptions kestrel, Uri url)
    {
        foreach (var resolved in Dns.GetHostAddresses(url.Host))
            kestrel.Listen(resolved, url.Port);
    }

    private async Task AnswerAsync(HttpContext context)
    {
        var request = context.Request;
        var host = request.Host.Value ?? "";
        var path = request.Path.Value ?? "/";
        if (!_gate.AllowsHost(host))
        {
            await RefuseAsync(context, StatusCodes.Status421MisdirectedRequest, "This page is not served under that name; use the address that the receiver printed.");
            return;
        }

        Protect(context.Response.Headers, host);
        var secret = path is "/" or "/index.html" or "/api/state" or "/live";
        if (!HttpMethods.IsGet(request.Method) && !HttpMethods.IsHead(request.Method))
            await RefuseAsync(context, StatusCodes.Status405MethodNotAllowed, "Only GET is served here.");
        else if (secret && !_gate.AllowsToken(request.Query["token"]))
            await RefuseAsync(context, StatusCodes.Status401Unauthorized, "A token is needed: add ?token=TOKEN to the address, with the receiver's --token.");
        else if (path == "/live")
            await WatchAsync(context, host);
        else if (path == "/api/state")
            await WriteAsync(context, StatusCodes.Status200OK, "application/json; charset=utf-8", _hub.StateJson());
        else if (PageFiles.Find(path) is { } file)
            await WriteAsync(context, StatusCodes.Status200OK, file.Type, file.Bytes);
        else
            await RefuseAsync(context, StatusCodes.Status404NotFound, "There is nothing here; the viewer page is at /.");
    }

    private async Task WatchAsync(HttpContext context, string host)
    {
        if (!context.WebSockets.IsWebSocketRequest)
        {
            await RefuseAsync(context, StatusCodes.Status426UpgradeRequired, "This address is for the viewer page's WebSocket.");
            return;
        }

        if (!ViewerGate.AllowsOrigin(context.Request.Headers.Origin, host))
        {
            await RefuseAsync(context, StatusCodes.Status403Forbidden, "Pages of other sites may not watch.");
            return;
        }

        using var socket = await context.WebSockets.AcceptWebSocketAsync();
        using var client = new ViewerClient(socket, _time);
        if (!_hub.TryAdd(client))
        {
            await socket.CloseOutputAsync((WebSocketCloseStatus)1013, "too many viewers", context.RequestAborted);
            return;
        }

        try
        {
            await client.RunAsync(context.RequestAborted);
        }
        finally
        {
            _hub.Remove(client);
        }
    }

    /// <summary>Nothing from elsewhere may run in the page, and the page may run nowhere else.</summary>
    private static void Protect(IHeaderDictionary headers, string host)
    {
        // The sockets are named, since not every browser counts them as 'self'.
        headers.ContentSecurityPolicy =
            $"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self' ws://{host} wss://{host}; "
            + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "no-referrer";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        headers.CacheControl = "no-store";
    }

    private static Task RefuseAsync(HttpContext context, int status, string why) =>
        WriteAsync(context, status, "text/plain; charset=utf-8", System.Text.Encoding.UTF8.GetBytes(why + "\n"));

    private static async Task WriteAsync(HttpContext context, int status, string type, ReadOnlyMemory<byte> body)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = type;
        context.Response.ContentLength = body.Length;
        if (!HttpMethods.IsHead(context.Request.Method))
            await context.Response.Body.WriteAsync(body, context.RequestAborted);
    }

    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
