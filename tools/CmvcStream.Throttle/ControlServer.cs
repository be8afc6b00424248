using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace CmvcStream.Throttle;

/// <summary>GET /link says what the link is like and what went through; PUT or POST changes it. Bad requests are answered with {"error": ...}.</summary>
internal sealed class ControlServer : IAsyncDisposable
{
    private static readonly TimeSpan StopWithin = TimeSpan.FromSeconds(1);
    private readonly WebApplication _app;
    private readonly ThrottleRelay _relay;

    private ControlServer(IPEndPoint at, ThrottleRelay relay)
    {
        _relay = relay;
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxConcurrentConnections = 32;
            kestrel.Limits.MaxRequestBodySize = 10_000;
            kestrel.ConfigureEndpointDefaults(endpoint => endpoint.Protocols = HttpProtocols.Http1);
            kestrel.Listen(at);
        });
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        _app = builder.Build();
        _app.Run(AnswerAsync);
    }

    /// <summary>Where it is, with the port that was taken.</summary>
    public Uri Url { get; private set; } = new("http://localhost/link");

    /// <exception cref="ThrottleException">The address cannot be used; the message says why.</exception>
    public static async Task<ControlServer> StartAsync(HostPort at, ThrottleRelay relay, CancellationToken cancellationToken)
    {
        ControlServer? server = null;
        try
        {
            server = new(await at.ResolveAsync(cancellationToken), relay);
            await server._app.StartAsync(cancellationToken);
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            if (server is not null)
                await server.DisposeAsync();
            throw new ThrottleException($"cannot listen on --control {at}: {e.Message}; take another port", e);
        }

        var bound = server._app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
        server.Url = new(new Uri(bound), "/link");
        return server;
    }

    public async ValueTask DisposeAsync()
    {
        using var patience = new CancellationTokenSource(StopWithin);
        await _app.StopAsync(patience.Token);
        await _app.DisposeAsync();
    }

    private Task AnswerAsync(HttpContext context)
    {
        var request = context.Request;
        if (request.Path.Value is not ("/" or "/link"))
            return RefuseAsync(context, StatusCodes.Status404NotFound, "there is only /link");
        if (HttpMethods.IsGet(request.Method))
            return WriteAsync(context, StatusCodes.Status200OK, _relay.Snapshot().ToJson());
        if (!HttpMethods.IsPut(request.Method) && !HttpMethods.IsPost(request.Method))
            return RefuseAsync(context, StatusCodes.Status405MethodNotAllowed, "GET looks at the link, PUT and POST change it");
        // A page in a browser cannot send this without having asked, and is not answered when it asks.
        return request.HasJsonContentType()
            ? ChangeAsync(context)
            : RefuseAsync(context, StatusCodes.Status400BadRequest, "a change has Content-Type: application/json (with curl: --json '{\"rate\": \"4kbps\"}')");
    }

    private async Task ChangeAsync(HttpContext context)
    {
        try
        {
            using var change = await JsonDocument.ParseAsync(context.Request.Body, cancellationToken: context.RequestAborted);
            LinkChange.Apply(_relay, change.RootElement);
        }
        catch (JsonException e)
        {
            await RefuseAsync(context, StatusCodes.Status400BadRequest, $"no JSON: {e.Message}");
            return;
        }
        catch (Microsoft.AspNetCore.Http.BadHttpRequestException e)
        {
            await RefuseAsync(context, e.StatusCode, e.Message);
            return;
        }
        catch (Exception e) when (e is FormatException or ArgumentException)
        {
            await RefuseAsync(context, StatusCodes.Status400BadRequest, e.Message);
            return;
        }

        await WriteAsync(context, StatusCodes.Status200OK, _relay.Snapshot().ToJson());
    }

    private static Task RefuseAsync(HttpContext context, int status, string message)
    {
        using var json = new MemoryStream();
        using (var writer = new Utf8JsonWriter(json, new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            writer.WriteStartObject();
            writer.WriteString("error", message);
            writer.WriteEndObject();
        }

        return WriteAsync(context, status, Encoding.UTF8.GetString(json.ToArray()));
    }

    private static Task WriteAsync(HttpContext context, int status, string json)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json; charset=utf-8";
        context.Response.Headers.CacheControl = "no-store";
        return context.Response.WriteAsync(json + "\n", context.RequestAborted);
    }

    /// <summary>Signals are the program's affair.</summary>
    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
