using System.Net;
using System.Security.Cryptography.X509Certificates;
using Grpc.AspNetCore.Server;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace CmvcStream.Grpc.Tests.Support;

/// <summary>Kestrel on an ephemeral port of this machine, HTTP/2 only, with services or with raw answers.</summary>
internal sealed class TestServer : IAsyncDisposable
{
    private readonly WebApplication _application;

    private TestServer(WebApplication application, string scheme)
    {
        _application = application;
        Port = new Uri(application.Urls.Single()).Port;
        Address = $"{scheme}://127.0.0.1:{Port}";
    }

    public int Port { get; }

    public string Address { get; }

    public IServiceProvider Services => _application.Services;

    /// <summary>A server of <see cref="EchoService"/>.</summary>
    public static Task<TestServer> StartEchoAsync(Action<GrpcServiceOptions>? options = null, X509Certificate2? certificate = null) =>
        StartServiceAsync<EchoService>(options, services => services.AddSingleton<EchoState>(), certificate);

    public static async Task<TestServer> StartServiceAsync<TService>(
        Action<GrpcServiceOptions>? options = null, Action<IServiceCollection>? services = null, X509Certificate2? certificate = null)
        where TService : class
    {
        var builder = CreateBuilder(certificate);
        builder.Services.AddGrpc(options ?? (_ => { }));
        services?.Invoke(builder.Services);
        var application = builder.Build();
        application.MapGrpcService<TService>();
        await application.StartAsync();
        return new TestServer(application, certificate is null ? "http" : "https");
    }

    /// <summary>A server that answers every request as the test says.</summary>
    public static async Task<TestServer> StartRawAsync(RequestDelegate answer)
    {
        var application = CreateBuilder(null).Build();
        application.Run(answer);
        await application.StartAsync();
        return new TestServer(application, "http");
    }

    public Task StopAsync(CancellationToken giveUp) => _application.StopAsync(giveUp);

    public async ValueTask DisposeAsync()
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(1));
        await _application.StopAsync(patience.Token);
        await _application.DisposeAsync();
    }

    private static WebApplicationBuilder CreateBuilder(X509Certificate2? certificate)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen =>
        {
            listen.Protocols = HttpProtocols.Http2;
            if (certificate is not null)
                listen.UseHttps(certificate);
        }));
        builder.WebHost.UseKestrelHttpsConfiguration();
        return builder;
    }
}
