using CmvcStream.Grpc.Tests.Protos;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using Grpc.Net.Compression;
using Xunit;

namespace CmvcStream.Grpc.Tests;

/// <summary>What our client must be able to do with any server; run against each of them below.</summary>
public abstract class EchoClientTests : IAsyncLifetime
{
    private const int MiB = 1024 * 1024;
    private GrpcChannel _channel = null!;
    private Echo.EchoClient _client = null!;

    private string Address { get; set; } = "";

    private static DateTime Soon => DateTime.UtcNow.AddSeconds(20);

    public async ValueTask InitializeAsync()
    {
        Address = await StartServerAsync();
        _channel = GrpcChannel.ForAddress(Address);
        _client = new Echo.EchoClient(_channel);
    }

    public async ValueTask DisposeAsync()
    {
        _channel?.Dispose();
        await StopServerAsync();
    }

    [Fact]
    public async Task Unary_Message_ComesBack()
    {
        var request = new EchoRequest { Text = "grüß", Payload = ByteString.CopyFrom(0, 1, 255) };

        using var call = _client.UnaryAsync(request, deadline: Soon);
        var reply = await call;

        Assert.Equal(request.Text, reply.Text);
        Assert.Equal(request.Payload, reply.Payload);
        Assert.Equal(StatusCode.OK, call.GetStatus().StatusCode);
    }

    [Fact]
    public void UnaryBlocking_Message_ComesBack() => Assert.Equal("x", _client.Unary(new EchoRequest { Text = "x" }, deadline: Soon).Text);

    [Fact]
    public async Task ClientStreaming_ThreeMessages_AreCollected()
    {
        using var call = _client.Collect(deadline: Soon);
        foreach (var text in (string[])["a", "b", "c"])
            await call.RequestStream.WriteAsync(new EchoRequest { Text = text, Payload = ByteString.CopyFrom(new byte[10]) });
        await call.RequestStream.CompleteAsync();

        var reply = await call;

        Assert.Equal(("abc", 30u), (reply.Text, reply.Index));
    }

    [Fact]
    public async Task ClientStreaming_NoMessage_IsAnswered()
    {
        using var call = _client.Collect(deadline: Soon);
        await call.RequestStream.CompleteAsync();

        Assert.Equal(0u, (await call).Index);
    }

    [Fact]
    public async Task ServerStreaming_ManyMessages_ComeInOrder()
    {
        using var call = _client.Expand(new EchoRequest { Text = "x", Repeat = 200 }, deadline: Soon);

        var indices = new List<uint>();
        await foreach (var reply in call.ResponseStream.ReadAllAsync())
            indices.Add(reply.Index);

        Assert.Equal(Enumerable.Range(0, 200).Select(i => (uint)i), indices);
        Assert.Equal(StatusCode.OK, call.GetStatus().StatusCode);
    }

    [Fact]
    public async Task ServerStreaming_NoMessage_EndsWithOk()
    {
        using var call = _client.Expand(new EchoRequest(), deadline: Soon);

        Assert.False(await call.ResponseStream.MoveNext(CancellationToken.None));
        Assert.Equal(StatusCode.OK, call.GetStatus().StatusCode);
    }

    [Fact]
    public async Task ServerStreaming_FailureAfterMessages_DeliversBoth()
    {
        using var call = _client.Expand(new EchoRequest { Text = "late", Repeat = 3, FailWith = (uint)StatusCode.Aborted }, deadline: Soon);

        for (var i = 0; i < 3; i++)
            Assert.True(await call.ResponseStream.MoveNext(CancellationToken.None));
        var failure = await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext(CancellationToken.None));

        Assert.Equal((StatusCode.Aborted, "late"), (failure.StatusCode, failure.Status.Detail));
    }

    [Fact]
    public async Task Duplex_PingPong_EachMessageIsAnsweredBeforeTheNext()
    {
        using var call = _client.Chat(deadline: Soon);
        for (var i = 0u; i < 20; i++)
        {
            await call.RequestStream.WriteAsync(new EchoRequest { Text = $"m{i}" });
            Assert.True(await call.ResponseStream.MoveNext(CancellationToken.None));
            Assert.Equal(($"m{i}", i), (call.ResponseStream.Current.Text, call.ResponseStream.Current.Index));
        }

        await call.RequestStream.CompleteAsync();

        Assert.False(await call.ResponseStream.MoveNext(CancellationToken.None));
    }

    [Fact]
    public async Task Duplex_ServerFails_WriterLearnsTheStatus()
    {
        using var call = _client.Chat(deadline: Soon);
        await call.RequestStream.WriteAsync(new EchoRequest { Text = "no more", FailWith = (uint)StatusCode.PermissionDenied });

        var onRead = await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext(CancellationToken.None));
        var onWrite = await Assert.ThrowsAsync<RpcException>(() => call.RequestStream.WriteAsync(new EchoRequest()));

        Assert.Equal((StatusCode.PermissionDenied, "no more"), (onRead.StatusCode, onRead.Status.Detail));
        Assert.Equal(StatusCode.PermissionDenied, onWrite.StatusCode);
    }

    [Fact]
    public async Task Unary_ServerFails_HasStatusTextAndTrailers()
    {
        using var call = _client.UnaryAsync(
            new EchoRequest { FailWith = (uint)StatusCode.FailedPrecondition, Text = "not ready: 100 % Ü\n" },
            new Metadata { { "x-echo-bin", [9, 8] } }, Soon);

        var failure = await Assert.ThrowsAsync<RpcException>(() => call.ResponseAsync);

        Assert.Equal((StatusCode.FailedPrecondition, "not ready: 100 % Ü\n"), (failure.StatusCode, failure.Status.Detail));
        Assert.Equal("asked", failure.Trailers.GetValue("x-why"));
        Assert.Equal([9, 8], failure.Trailers.GetValueBytes("x-echo-bin")!);
        Assert.Equal(StatusCode.FailedPrecondition, call.GetStatus().StatusCode);
    }

    [Fact]
    public async Task Unary_Metadata_ComesBackAsHeaderAndTrailer()
    {
        var metadata = new Metadata { { "x-echo", "one" }, { "x-echo-bin", [0, 255, 1] } };
        using var call = _client.UnaryAsync(new EchoRequest(), metadata, Soon);

        Assert.Equal("one", (await call.ResponseHeadersAsync).GetValue("x-echo"));
        await call;
        Assert.Equal([0, 255, 1], call.GetTrailers().GetValueBytes("x-echo-bin")!);
    }

    [Fact]
    public async Task Unary_DeadlinePasses_DeadlineExceeded()
    {
        using var call = _client.UnaryAsync(new EchoRequest { SleepMs = 20_000 }, deadline: DateTime.UtcNow.AddMilliseconds(300));

        var failure = await Assert.ThrowsAsync<RpcException>(() => call.ResponseAsync);

        Assert.Equal(StatusCode.DeadlineExceeded, failure.StatusCode);
    }

    [Fact]
    public async Task Unary_CallerCancels_ServerNotices()
    {
        var before = await CancelledOnServerAsync();
        using var cancel = new CancellationTokenSource();
        using var call = _client.UnaryAsync(new EchoRequest { SleepMs = 20_000 }, cancellationToken: cancel.Token);
        cancel.CancelAfter(300);

        var failure = await Assert.ThrowsAsync<RpcException>(() => call.ResponseAsync);

        Assert.Equal(StatusCode.Cancelled, failure.StatusCode);
        await AssertCancelledOnServerAsync(before);
    }

    [Fact]
    public async Task Duplex_CallerDisposes_ServerNotices()
    {
        var before = await CancelledOnServerAsync();
        var call = _client.Chat();
        await call.RequestStream.WriteAsync(new EchoRequest { Text = "here" });
        Assert.True(await call.ResponseStream.MoveNext(CancellationToken.None));
        await call.RequestStream.WriteAsync(new EchoRequest { SleepMs = 20_000 });
        await Task.Delay(300); // so that the server is asleep

        call.Dispose();

        await AssertCancelledOnServerAsync(before);
        // RpcException with status Cancelled here, ObjectDisposedException in the official packages.
        Assert.NotNull(await Record.ExceptionAsync(() => call.ResponseStream.MoveNext(CancellationToken.None)));
    }

    [Fact]
    public async Task Unary_ThreeMiB_ComesBack()
    {
        var payload = new byte[3 * MiB];
        new Random(1).NextBytes(payload);

        var reply = await _client.UnaryAsync(new EchoRequest { Payload = ByteString.CopyFrom(payload) }, deadline: Soon);

        Assert.True(reply.Payload.Span.SequenceEqual(payload));
    }

    [Fact]
    public async Task Duplex_ThreeMiB_ComesBack()
    {
        var payload = new byte[3 * MiB];
        new Random(2).NextBytes(payload);
        using var call = _client.Chat(deadline: Soon);

        var write = call.RequestStream.WriteAsync(new EchoRequest { Payload = ByteString.CopyFrom(payload) });
        Assert.True(await call.ResponseStream.MoveNext(CancellationToken.None));
        await write;

        Assert.True(call.ResponseStream.Current.Payload.Span.SequenceEqual(payload));
    }

    [Fact]
    public async Task Unary_RequestOverServersLimit_ResourceExhausted()
    {
        var request = new EchoRequest { Payload = ByteString.CopyFrom(new byte[5 * MiB]) };

        var failure = await Assert.ThrowsAsync<RpcException>(async () => await _client.UnaryAsync(request, deadline: Soon));

        Assert.Equal(StatusCode.ResourceExhausted, failure.StatusCode);
    }

    [Fact]
    public async Task Unary_ResponseOverOurLimit_ResourceExhausted()
    {
        var failure = await Assert.ThrowsAsync<RpcException>(
            async () => await _client.UnaryAsync(new EchoRequest { ReplySize = 5 * MiB }, deadline: Soon));

        Assert.Equal(StatusCode.ResourceExhausted, failure.StatusCode);
    }

    [Fact]
    public async Task Unary_Gzip_ComesBack()
    {
        using var channel = GrpcChannel.ForAddress(Address, new GrpcChannelOptions
        {
            CompressionProviders = [new GzipCompressionProvider(System.IO.Compression.CompressionLevel.Fastest)],
        });
        var payload = ByteString.CopyFrom([.. Enumerable.Repeat((byte)3, 100_000)]);

        var reply = await new Echo.EchoClient(channel).UnaryAsync(
            new EchoRequest { Payload = payload }, new Metadata { { "grpc-internal-encoding-request", "gzip" } }, Soon);

        Assert.Equal(payload, reply.Payload);
    }

    [Theory]
    [InlineData("cmvc.grpc.test.v1.Echo", "Nothing")]
    [InlineData("cmvc.grpc.test.v1.Nobody", "Unary")]
    public async Task Unary_UnknownMethod_Unimplemented(string service, string name)
    {
        var method = new Method<string, string>(MethodType.Unary, service, name, Marshallers.StringMarshaller, Marshallers.StringMarshaller);

        using var call = _channel.CreateCallInvoker().AsyncUnaryCall(method, null, new CallOptions(deadline: Soon), "");
        var failure = await Assert.ThrowsAsync<RpcException>(() => call.ResponseAsync);

        Assert.Equal(StatusCode.Unimplemented, failure.StatusCode);
    }

    [Fact]
    public async Task Duplex_TwentyCallsAtOnce_KeepApart()
    {
        var calls = Enumerable.Range(0, 20).Select(async n =>
        {
            using var call = _client.Chat(deadline: Soon);
            for (var i = 0; i < 10; i++)
            {
                await call.RequestStream.WriteAsync(new EchoRequest { Text = $"{n}/{i}" });
                Assert.True(await call.ResponseStream.MoveNext(CancellationToken.None));
                Assert.Equal($"{n}/{i}", call.ResponseStream.Current.Text);
            }

            await call.RequestStream.CompleteAsync();
            Assert.False(await call.ResponseStream.MoveNext(CancellationToken.None));
        });

        // Few enough at a time for servers that give each call a thread.
        foreach (var some in calls.Chunk(10))
            await Task.WhenAll(some);
    }

    /// <summary>Starts the server and returns its address, or skips the test.</summary>
    protected abstract Task<string> StartServerAsync();

    protected abstract ValueTask StopServerAsync();

    private async Task<uint> CancelledOnServerAsync() => (await _client.UnaryAsync(new EchoRequest { CountCancelled = true }, deadline: Soon)).Index;

    private async Task AssertCancelledOnServerAsync(uint before)
    {
        for (var i = 0; i < 100; i++)
        {
            if (await CancelledOnServerAsync() > before)
                return;
            await Task.Delay(50);
        }

        Assert.Fail("The server has not noticed the cancellation.");
    }
}
