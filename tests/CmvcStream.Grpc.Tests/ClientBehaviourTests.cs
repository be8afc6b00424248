using System.Diagnostics;
using CmvcStream.Grpc.Tests.Protos;
using CmvcStream.Grpc.Tests.Support;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using Xunit;

namespace CmvcStream.Grpc.Tests;

/// <summary>Rules of our client beyond what crosses the wire.</summary>
public sealed class ClientBehaviourTests : IAsyncLifetime
{
    private TestServer _server = null!;
    private GrpcChannel _channel = null!;
    private Echo.EchoClient _client = null!;

    public async ValueTask InitializeAsync()
    {
        _server = await TestServer.StartEchoAsync();
        _channel = GrpcChannel.ForAddress(_server.Address);
        _client = new Echo.EchoClient(_channel);
    }

    public async ValueTask DisposeAsync()
    {
        _channel.Dispose();
        await _server.DisposeAsync();
    }

    [Theory]
    [InlineData("localhost:5000")]
    [InlineData("ftp://localhost")]
    [InlineData("nonsense")]
    public void ForAddress_NoHttpAddress_IsRefused(string address)
    {
        Implementation.OursOnly("other exceptions");
        Assert.Contains("http://host:port", Assert.Throws<ArgumentException>(() => GrpcChannel.ForAddress(address)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Call_MetadataOfGrpc_IsRefused()
    {
        Implementation.OursOnly("such metadata is let through");
        Assert.Throws<ArgumentException>(() => _client.UnaryAsync(new EchoRequest(), new Metadata { { "grpc-timeout", "1S" } }));
    }

    [Fact]
    public void Call_LocalDeadline_IsRefused() =>
        Assert.Throws<InvalidOperationException>(() => _client.UnaryAsync(new EchoRequest(), deadline: DateTime.Now.AddSeconds(1)));

    [Fact]
    public void Call_CompressionThatTheChannelLacks_IsRefused()
    {
        Implementation.OursOnly("the call fails later");
        Assert.Throws<InvalidOperationException>(
            () => _client.UnaryAsync(new EchoRequest(), new Metadata { { "grpc-internal-encoding-request", "gzip" } }));
    }

    [Fact]
    public async Task Call_DeadlineInThePast_DeadlineExceededAtOnce()
    {
        var failure = await Assert.ThrowsAsync<RpcException>(
            async () => await _client.UnaryAsync(new EchoRequest(), deadline: DateTime.UtcNow.AddSeconds(-1)));

        Assert.Equal(StatusCode.DeadlineExceeded, failure.StatusCode);
    }

    [Fact]
    public async Task Call_TokenAlreadyCancelled_Cancelled()
    {
        var failure = await Assert.ThrowsAsync<RpcException>(
            async () => await _client.UnaryAsync(new EchoRequest(), cancellationToken: new CancellationToken(canceled: true)));

        Assert.Equal(StatusCode.Cancelled, failure.StatusCode);
    }

    [Fact]
    public async Task Call_ChannelThrowsOperationCanceled_DoesSo()
    {
        using var channel = GrpcChannel.ForAddress(_server.Address, new GrpcChannelOptions { ThrowOperationCanceledOnCancellation = true });
        using var cancel = new CancellationTokenSource(100);

        var call = new Echo.EchoClient(channel).UnaryAsync(new EchoRequest { SleepMs = 20_000 }, cancellationToken: cancel.Token);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call.ResponseAsync);
    }

    [Fact]
    public async Task Call_MessageOverSendLimit_ResourceExhausted()
    {
        using var channel = GrpcChannel.ForAddress(_server.Address, new GrpcChannelOptions { MaxSendMessageSize = 100 });
        var client = new Echo.EchoClient(channel);
        var request = new EchoRequest { Payload = ByteString.CopyFrom(new byte[101]) };

        var unary = await Assert.ThrowsAsync<RpcException>(async () => await client.UnaryAsync(request));
        using var chat = client.Chat();
        var streamed = await Assert.ThrowsAsync<RpcException>(() => chat.RequestStream.WriteAsync(request));

        Assert.Equal(StatusCode.ResourceExhausted, unary.StatusCode);
        Assert.Equal(StatusCode.ResourceExhausted, streamed.StatusCode);
    }

    [Fact]
    public async Task Duplex_NothingWritten_ServerSeesTheCall()
    {
        using var call = _client.Chat(new Metadata { { "x-echo", "hello" } }, DateTime.UtcNow.AddSeconds(20));

        Assert.Equal("hello", (await call.ResponseHeadersAsync).GetValue("x-echo"));
    }

    [Fact]
    public async Task GetStatus_CallHasNotEnded_IsRefused()
    {
        using var call = _client.Chat();

        Assert.Throws<InvalidOperationException>(() => call.GetStatus());
        await call.RequestStream.CompleteAsync();
    }

    [Fact]
    public async Task MoveNext_WhileAnotherReads_IsRefused()
    {
        using var call = _client.Chat();
        var first = call.ResponseStream.MoveNext(CancellationToken.None);

        await Assert.ThrowsAsync<InvalidOperationException>(() => call.ResponseStream.MoveNext(CancellationToken.None));
        await call.RequestStream.CompleteAsync();
        Assert.False(await first);
    }

    [Fact]
    public async Task MoveNext_TokenIsCancelled_EndsTheCall()
    {
        using var call = _client.Chat();
        using var cancel = new CancellationTokenSource(100);

        var failure = await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext(cancel.Token));

        Assert.Equal(StatusCode.Cancelled, failure.StatusCode);
        Assert.Equal(StatusCode.Cancelled, call.GetStatus().StatusCode);
    }

    [Fact]
    public async Task WriteAsync_AfterComplete_IsRefused()
    {
        using var call = _client.Chat();
        await call.RequestStream.CompleteAsync();

        await Assert.ThrowsAsync<InvalidOperationException>(() => call.RequestStream.WriteAsync(new EchoRequest()));
    }

    [Fact]
    public async Task WriteAsync_BufferHint_MessagesArriveWithTheNext()
    {
        using var call = _client.Chat(deadline: DateTime.UtcNow.AddSeconds(20));
        call.RequestStream.WriteOptions = new WriteOptions(WriteFlags.BufferHint);
        await call.RequestStream.WriteAsync(new EchoRequest { Text = "a" });
        call.RequestStream.WriteOptions = null;
        await call.RequestStream.WriteAsync(new EchoRequest { Text = "b" });

        foreach (var text in (string[])["a", "b"])
        {
            Assert.True(await call.ResponseStream.MoveNext(CancellationToken.None));
            Assert.Equal(text, call.ResponseStream.Current.Text);
        }
    }

    [Fact]
    public async Task Dispose_Channel_EndsItsCalls()
    {
        var call = _client.Chat();
        var read = call.ResponseStream.MoveNext(CancellationToken.None);

        _channel.Dispose();

        Assert.Equal(StatusCode.Cancelled, (await Assert.ThrowsAsync<RpcException>(() => read)).StatusCode);
        Assert.Throws<ObjectDisposedException>(() => _client.Chat());
    }

    [Fact]
    public async Task Duplex_ConnectionIsCut_Unavailable()
    {
        var connections = new List<RecordingConnection>();
        using var handler = RecordingConnection.CreateHandler(connections);
        using var call = await StartChatAsync(handler);

        connections[0].Cut();

        var failure = await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext(CancellationToken.None));
        Assert.Equal(StatusCode.Unavailable, failure.StatusCode);
    }

    [Fact]
    public async Task Duplex_ServerIsSilent_KeepAlivePingsEndTheCall()
    {
        Implementation.OursOnly("status Internal");
        var connections = new List<RecordingConnection>();
        using var handler = RecordingConnection.CreateHandler(connections);
        handler.KeepAlivePingDelay = TimeSpan.FromSeconds(1);
        handler.KeepAlivePingTimeout = TimeSpan.FromSeconds(1);
        using var call = await StartChatAsync(handler);
        var watch = Stopwatch.StartNew();

        connections[0].GoDeaf();

        var failure = await Assert.ThrowsAsync<RpcException>(
            () => call.ResponseStream.MoveNext(CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(30)));
        Assert.Equal(StatusCode.Unavailable, failure.StatusCode);
        Assert.InRange(watch.Elapsed.TotalSeconds, 0.9, 20);
    }

    [Fact]
    public async Task Duplex_ServerStops_CallEndsWithStatus()
    {
        using var handler = new SocketsHttpHandler();
        using var call = await StartChatAsync(handler);
        var read = call.ResponseStream.MoveNext(CancellationToken.None);

        await _server.StopAsync(new CancellationToken(canceled: true));

        var failure = await Assert.ThrowsAsync<RpcException>(() => read.WaitAsync(TimeSpan.FromSeconds(20)));
        Assert.Equal(StatusCode.Unavailable, failure.StatusCode);
    }

    private async Task<AsyncDuplexStreamingCall<EchoRequest, EchoReply>> StartChatAsync(SocketsHttpHandler handler)
    {
        var channel = GrpcChannel.ForAddress(_server.Address, new GrpcChannelOptions { HttpHandler = handler });
        var call = new Echo.EchoClient(channel).Chat();
        await call.RequestStream.WriteAsync(new EchoRequest { Text = "here" });
        Assert.True(await call.ResponseStream.MoveNext(CancellationToken.None));
        return call;
    }
}
