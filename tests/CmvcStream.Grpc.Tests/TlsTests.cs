using CmvcStream.Grpc.Tests.Protos;
using CmvcStream.Grpc.Tests.Support;
using Grpc.Core;
using Grpc.Net.Client;
using Xunit;

namespace CmvcStream.Grpc.Tests;

/// <summary>Our client over TLS; foreign clients against our TLS server are in <see cref="ForeignClientTests"/>.</summary>
public sealed class TlsTests : IDisposable
{
    private readonly TestCertificate _certificate = new();

    public void Dispose() => _certificate.Dispose();

    [Fact]
    public async Task Duplex_OwnServer_ComesBack()
    {
        await using var server = await TestServer.StartEchoAsync(null, _certificate.Certificate);
        await AssertChatsAsync(server.Address);
    }

    [Fact]
    public async Task Duplex_GrpcJs_ComesBack()
    {
        Assert.SkipWhen(Peer.GrpcJs.WhyAbsent is not null, Peer.GrpcJs.WhyAbsent ?? "");
        await using var server = await PeerServer.StartAsync(Peer.GrpcJs, _certificate);
        await AssertChatsAsync(server.Address);
    }

    [Fact]
    public async Task Duplex_Grpcio_ComesBack()
    {
        Assert.SkipWhen(Peer.Grpcio.WhyAbsent is not null, Peer.Grpcio.WhyAbsent ?? "");
        await using var server = await PeerServer.StartAsync(Peer.Grpcio, _certificate);
        await AssertChatsAsync(server.Address);
    }

    [Fact]
    public async Task Unary_CertificateIsNotTrusted_Unavailable()
    {
        Implementation.OursOnly("status Internal");
        await using var server = await TestServer.StartEchoAsync(null, _certificate.Certificate);
        using var channel = GrpcChannel.ForAddress(server.Address);

        var failure = await Assert.ThrowsAsync<RpcException>(async () => await new Echo.EchoClient(channel).UnaryAsync(new EchoRequest()));

        Assert.Equal(StatusCode.Unavailable, failure.StatusCode);
        Assert.Contains("TLS", failure.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Unary_ClearTextToTlsPort_Fails()
    {
        await using var server = await TestServer.StartEchoAsync(null, _certificate.Certificate);
        using var channel = GrpcChannel.ForAddress(server.Address.Replace("https", "http", StringComparison.Ordinal));

        await Assert.ThrowsAsync<RpcException>(
            async () => await new Echo.EchoClient(channel).UnaryAsync(new EchoRequest(), deadline: DateTime.UtcNow.AddSeconds(20)));
    }

    private async Task AssertChatsAsync(string address)
    {
        using var handler = _certificate.CreateTrustingHandler();
        using var channel = GrpcChannel.ForAddress(address, new GrpcChannelOptions { HttpHandler = handler });
        using var call = new Echo.EchoClient(channel).Chat(deadline: DateTime.UtcNow.AddSeconds(20));
        await call.RequestStream.WriteAsync(new EchoRequest { Text = "in private" });
        Assert.True(await call.ResponseStream.MoveNext(CancellationToken.None));
        Assert.Equal("in private", call.ResponseStream.Current.Text);
        await call.RequestStream.CompleteAsync();
        Assert.False(await call.ResponseStream.MoveNext(CancellationToken.None));
    }
}
