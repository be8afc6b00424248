using CmvcStream.Grpc.Tests.Support;
using Xunit;

namespace CmvcStream.Grpc.Tests;

/// <summary>Other people's clients with our server: each check of their scripts is a test here.</summary>
public abstract class ForeignClientTests(ForeignClientTests.Run run)
{
    [Theory]
    [InlineData("unary")]
    [InlineData("client_streaming")]
    [InlineData("server_streaming")]
    [InlineData("server_streaming_empty")]
    [InlineData("duplex_ping_pong")]
    [InlineData("status_and_trailers")]
    [InlineData("status_after_messages")]
    [InlineData("crash")]
    [InlineData("metadata")]
    [InlineData("unimplemented_method")]
    [InlineData("deadline")]
    [InlineData("cancellation")]
    [InlineData("large_message")]
    [InlineData("oversized_request")]
    [InlineData("oversized_response")]
    [InlineData("gzip")]
    [InlineData("unknown_encoding")]
    public void Client_Check_Passes(string check)
    {
        Assert.SkipWhen(run.WhyAbsent is not null, run.WhyAbsent ?? "");
        if (check == "unknown_encoding")
            Implementation.OursOnly("deflate is accepted");
        var line = run.Output.FirstOrDefault(line => line.Split(' ', ':').ElementAtOrDefault(1) == check);
        Assert.True(line == $"ok {check}", line ?? $"no such line in: {string.Join('\n', run.Output)}");
    }

    /// <summary>One run of a script, for all tests of a class.</summary>
    public abstract class Run : IAsyncLifetime
    {
        private readonly Peer _peer;
        private readonly bool _tls;

        private protected Run(Peer peer, bool tls) => (_peer, _tls) = (peer, tls);

        public string? WhyAbsent => _peer.WhyAbsent;

        public IReadOnlyList<string> Output { get; private set; } = [];

        public async ValueTask InitializeAsync()
        {
            if (WhyAbsent is not null)
                return;
            using var certificate = _tls ? new TestCertificate() : null;
            await using var server = await TestServer.StartEchoAsync(null, certificate?.Certificate);
            // Responses are compressed where the client accepts it, which both peers always do. A server of its own, since grpc-js
            // drops messages that it has not yet decompressed when a status other than OK follows.
            await using var compressing = await TestServer.StartEchoAsync(
                options => options.ResponseCompressionAlgorithm = "gzip", certificate?.Certificate);
            string[] root = certificate is null ? [] : [certificate.CertificateFile];
            using var client = _peer.Start("client", [$"127.0.0.1:{server.Port}", $"127.0.0.1:{compressing.Port}", .. root]);
            var errors = client.StandardError.ReadToEndAsync();
            var output = await client.StandardOutput.ReadToEndAsync();
            Output = [.. output.Split('\n', StringSplitOptions.RemoveEmptyEntries), .. (await errors).Split('\n')];
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}

public sealed class GrpcJsClientTests(GrpcJsClientTests.ClearRun run) : ForeignClientTests(run), IClassFixture<GrpcJsClientTests.ClearRun>
{
    public sealed class ClearRun() : Run(Peer.GrpcJs, tls: false);
}

public sealed class GrpcJsTlsClientTests(GrpcJsTlsClientTests.TlsRun run) : ForeignClientTests(run), IClassFixture<GrpcJsTlsClientTests.TlsRun>
{
    public sealed class TlsRun() : Run(Peer.GrpcJs, tls: true);
}

public sealed class GrpcioClientTests(GrpcioClientTests.ClearRun run) : ForeignClientTests(run), IClassFixture<GrpcioClientTests.ClearRun>
{
    public sealed class ClearRun() : Run(Peer.Grpcio, tls: false);
}

public sealed class GrpcioTlsClientTests(GrpcioTlsClientTests.TlsRun run) : ForeignClientTests(run), IClassFixture<GrpcioTlsClientTests.TlsRun>
{
    public sealed class TlsRun() : Run(Peer.Grpcio, tls: true);
}
