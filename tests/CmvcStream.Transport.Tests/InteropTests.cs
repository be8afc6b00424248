using System.Diagnostics;
using System.Text.Json;
using CmvcStream.Protos;
using Xunit;

namespace CmvcStream.Transport.Tests;

/// <summary>Our service for a client that nobody here wrote: grpc-js with nothing but the .proto files.</summary>
public class InteropTests
{
    [Fact]
    public async Task Session_FromGrpcJs_HelloArrivesAndWelcomeReturns()
    {
        Hello? hello = null;
        await using var pair = await Pair.StartAsync(serve: async (session, stop) =>
        {
            await foreach (var message in session.ReceiveAsync(stop))
            {
                hello ??= message.Hello;
                await session.SendAsync(new() { Welcome = new() { Version = ProtocolVersions.Current, Smooth = true } }, stop);
            }
        });

        var heard = await RunAsync(pair.Url, "1");

        Assert.Equal((1u, 7u, "stranger"), (hello!.Version.Major, hello.Version.Minor, hello.Source.Name));
        Assert.Equal(0, heard.GetProperty("code").GetInt32());
        Assert.True(heard.GetProperty("messages")[0].GetProperty("welcome").GetProperty("smooth").GetBoolean());
    }

    [Fact]
    public async Task Session_FromGrpcJs_RefusalArrivesAsAStatus()
    {
        await using var pair = await Pair.StartAsync(serve: async (session, stop) =>
            throw new TransportException(TransportError.Protocol, ProtocolVersions.WhyIncompatible((await session.ReceiveAsync(stop).FirstAsync(stop)).Hello.Version)!));

        var heard = await RunAsync(pair.Url, "9");

        Assert.Equal(9, heard.GetProperty("code").GetInt32()); // FAILED_PRECONDITION
        Assert.Contains("9.7", heard.GetProperty("details").GetString());
    }

    private static async Task<JsonElement> RunAsync(Uri url, string major)
    {
        var modules = Modules();
        Assert.SkipUnless(modules is not null, "needs the packages of package.json (npm ci)");
        var info = new ProcessStartInfo("node", [Path.Combine(AppContext.BaseDirectory, "Interop", "session.cjs"), Path.Combine(AppContext.BaseDirectory, "Protos"), modules, url.Authority, major])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        // A proxy of the surroundings has no business between two processes of this machine.
        foreach (var name in (string[])["http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "grpc_proxy"])
            info.Environment.Remove(name);
        using var process = Process.Start(info)!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync().WaitAsync(TimeSpan.FromSeconds(60));
        Assert.True(output.StartsWith('{'), $"{output}{await errors}");
        return JsonDocument.Parse(output).RootElement;
    }

    private static string? Modules()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (Directory.Exists(Path.Combine(folder.FullName, "node_modules", "@grpc", "grpc-js")))
                return Path.Combine(folder.FullName, "node_modules");
        }

        return null;
    }
}
