using CmvcStream.Grpc.Tests.Support;
using Xunit;

namespace CmvcStream.Grpc.Tests;

/// <summary>Our client with our server.</summary>
public sealed class OwnServerEchoTests : EchoClientTests
{
    private TestServer? _server;

    protected override async Task<string> StartServerAsync() => (_server = await TestServer.StartEchoAsync()).Address;

    protected override ValueTask StopServerAsync() => _server?.DisposeAsync() ?? ValueTask.CompletedTask;
}

/// <summary>Our client with @grpc/grpc-js on Node.</summary>
public sealed class GrpcJsServerEchoTests(GrpcJsServerEchoTests.Server server) : EchoClientTests, IClassFixture<GrpcJsServerEchoTests.Server>
{
    protected override Task<string> StartServerAsync() => server.AddressOrSkip();

    protected override ValueTask StopServerAsync() => ValueTask.CompletedTask;

    public sealed class Server() : SharedPeerServer(Peer.GrpcJs);
}

/// <summary>Our client with grpcio on Python.</summary>
public sealed class GrpcioServerEchoTests(GrpcioServerEchoTests.Server server) : EchoClientTests, IClassFixture<GrpcioServerEchoTests.Server>
{
    protected override Task<string> StartServerAsync() => server.AddressOrSkip();

    protected override ValueTask StopServerAsync() => ValueTask.CompletedTask;

    public sealed class Server() : SharedPeerServer(Peer.Grpcio);
}

/// <summary>One process for all tests of a class.</summary>
public abstract class SharedPeerServer : IAsyncLifetime
{
    private readonly Peer _peer;
    private PeerServer? _server;

    private protected SharedPeerServer(Peer peer) => _peer = peer;

    public async ValueTask InitializeAsync()
    {
        if (_peer.WhyAbsent is null)
            _server = await PeerServer.StartAsync(_peer);
    }

    public ValueTask DisposeAsync() => _server?.DisposeAsync() ?? ValueTask.CompletedTask;

    public Task<string> AddressOrSkip()
    {
        Assert.SkipWhen(_peer.WhyAbsent is not null, _peer.WhyAbsent ?? "");
        return Task.FromResult(_server!.Address);
    }
}
