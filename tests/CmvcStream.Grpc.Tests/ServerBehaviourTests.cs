using System.Net;
using System.Net.Http.Headers;
using CmvcStream.Grpc.Tests.Protos;
using CmvcStream.Grpc.Tests.Support;
using Grpc.AspNetCore.Server;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace CmvcStream.Grpc.Tests;

/// <summary>Rules of our server towards its handlers, and what clients see of them.</summary>
public sealed class ServerBehaviourTests
{
    private static DateTime Soon => DateTime.UtcNow.AddSeconds(20);

    [Fact]
    public async Task Deadline_HandlerIgnoresIt_ClientIsAnsweredAllTheSame()
    {
        var release = new TaskCompletionSource();
        var seen = new TaskCompletionSource<bool>();
        await using var server = await StartAsync((_, context) =>
        {
            context.CancellationToken.Register(() => seen.TrySetResult(context.Deadline < Soon));
            return release.Task.ContinueWith(_ => new EchoReply(), TaskScheduler.Default);
        });

        // A client that does not watch the deadline itself.
        using var http = new HttpMessageInvoker(new SocketsHttpHandler());
        using var request = new HttpRequestMessage(HttpMethod.Post, $"{server.Address}/cmvc.grpc.test.v1.Echo/Unary")
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new ByteArrayContent(new byte[5]) { Headers = { ContentType = new MediaTypeHeaderValue("application/grpc") } },
        };
        request.Headers.Add("grpc-timeout", "200m");
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        using var response = await http.SendAsync(request, patience.Token);
        await response.Content.ReadAsByteArrayAsync(patience.Token);

        Assert.Equal("4", Assert.Single(response.Headers.GetValues("grpc-status")));
        Assert.True(await seen.Task);
        release.SetResult();
    }

    [Fact]
    public async Task Deadline_HandlerWritesAfterIt_IsTold()
    {
        Implementation.OursOnly("InvalidOperationException");
        var late = new TaskCompletionSource<Exception?>();
        await using var server = await TestServer.StartServiceAsync<LateWriter>(services: services => services.AddSingleton(late));
        using var channel = GrpcChannel.ForAddress(server.Address);
        using var call = new Echo.EchoClient(channel).Expand(new EchoRequest(), deadline: DateTime.UtcNow.AddMilliseconds(300));

        Assert.True(await call.ResponseStream.MoveNext(CancellationToken.None));
        var failure = await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext(CancellationToken.None));

        Assert.Equal(StatusCode.DeadlineExceeded, failure.StatusCode);
        Assert.IsAssignableFrom<OperationCanceledException>(await late.Task.WaitAsync(TimeSpan.FromSeconds(20)));
    }

    [Fact]
    public async Task Handler_Throws_DetailsStayHere()
    {
        await using var server = await StartAsync((_, _) => throw new InvalidOperationException("secret"));

        var failure = await FailAsync(server);

        Assert.Equal((StatusCode.Unknown, "Exception was thrown by handler."), (failure.StatusCode, failure.Status.Detail));
    }

    [Fact]
    public async Task Handler_ThrowsWithDetailedErrors_ClientIsTold()
    {
        await using var server = await StartAsync(
            (_, _) => throw new InvalidOperationException("no camera"), options => options.EnableDetailedErrors = true);

        var failure = await FailAsync(server);

        Assert.Equal("Exception was thrown by handler. InvalidOperationException: no camera", failure.Status.Detail);
    }

    [Fact]
    public async Task Handler_SetsStatus_ClientGetsIt()
    {
        await using var server = await StartAsync((_, context) =>
        {
            context.Status = new Status(StatusCode.DataLoss, "half of it");
            return Task.FromResult(new EchoReply());
        });

        Assert.Equal((StatusCode.DataLoss, "half of it"), await FailAsync(server) is var failure ? (failure.StatusCode, failure.Status.Detail) : default);
    }

    [Fact]
    public async Task Handler_ReturnsNull_Internal()
    {
        Implementation.OursOnly("status Cancelled");
        await using var server = await StartAsync((_, _) => Task.FromResult<EchoReply>(null!));

        Assert.Equal(StatusCode.Internal, (await FailAsync(server)).StatusCode);
    }

    [Fact]
    public async Task Handler_NotOverridden_Unimplemented()
    {
        await using var server = await StartAsync((_, _) => Task.FromResult(new EchoReply()));
        using var channel = GrpcChannel.ForAddress(server.Address);
        using var call = new Echo.EchoClient(channel).Expand(new EchoRequest(), deadline: Soon);

        var failure = await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext(CancellationToken.None));

        Assert.Equal(StatusCode.Unimplemented, failure.StatusCode);
    }

    [Fact]
    public async Task Handler_AbortsTheRequest_ClientGetsAnError()
    {
        await using var server = await StartAsync((_, context) =>
        {
            context.GetHttpContext().Abort();
            return Task.FromResult(new EchoReply());
        });

        Assert.NotEqual(StatusCode.OK, (await FailAsync(server)).StatusCode);
    }

    [Fact]
    public async Task Context_OfACall_SaysWhoAndWhat()
    {
        var facts = "";
        await using var server = await StartAsync((_, context) =>
        {
            facts = $"{context.Method} {context.Host} {context.Peer} {context.Deadline == DateTime.MaxValue}";
            return Task.FromResult(new EchoReply());
        });
        using var channel = GrpcChannel.ForAddress(server.Address);

        await new Echo.EchoClient(channel).UnaryAsync(new EchoRequest());

        Assert.Matches($"^/cmvc.grpc.test.v1.Echo/Unary 127.0.0.1:{server.Port} ipv4:127.0.0.1:[0-9]+ True$", facts);
    }

    [Fact]
    public async Task WriteResponseHeaders_Twice_IsRefused()
    {
        await using var server = await StartAsync(async (_, context) =>
        {
            await context.WriteResponseHeadersAsync(new Metadata { { "a", "1" } });
            await Assert.ThrowsAsync<InvalidOperationException>(() => context.WriteResponseHeadersAsync([]));
            return new EchoReply { Text = "refused" };
        });
        using var channel = GrpcChannel.ForAddress(server.Address);

        Assert.Equal("refused", (await new Echo.EchoClient(channel).UnaryAsync(new EchoRequest(), deadline: Soon)).Text);
    }

    [Fact]
    public async Task Reply_OverSendLimit_ResourceExhausted()
    {
        await using var server = await TestServer.StartEchoAsync(options => options.MaxSendMessageSize = 1000);

        Assert.Equal(StatusCode.ResourceExhausted, (await FailAsync(server, new EchoRequest { ReplySize = 1001 })).StatusCode);
    }

    [Fact]
    public async Task Service_NotRegistered_IsMadeAndDisposedOfPerCall()
    {
        var disposed = new TaskCompletionSource();
        await using var server = await StartAsync((_, _) => Task.FromResult(new EchoReply()), disposed: disposed);
        using var channel = GrpcChannel.ForAddress(server.Address);

        await new Echo.EchoClient(channel).UnaryAsync(new EchoRequest());

        await disposed.Task.WaitAsync(TimeSpan.FromSeconds(20));
    }

    [Fact]
    public async Task Service_Registered_IsTheOneUsed()
    {
        var service = new ScriptedService(new Script((_, _) => Task.FromResult(new EchoReply { Text = "mine" }), null));
        await using var server = await TestServer.StartServiceAsync<ScriptedService>(services: services => services.AddSingleton(service));
        using var channel = GrpcChannel.ForAddress(server.Address);

        Assert.Equal("mine", (await new Echo.EchoClient(channel).UnaryAsync(new EchoRequest())).Text);
    }

    [Fact]
    public async Task Map_ClassIsNoService_IsRefused()
    {
        Implementation.OursOnly("a warning in the log");
        var failure = await Assert.ThrowsAsync<InvalidOperationException>(() => TestServer.StartServiceAsync<ServerBehaviourTests>());

        Assert.Contains("is no gRPC service", failure.Message, StringComparison.Ordinal);
    }

    private static Task<TestServer> StartAsync(
        UnaryServerMethod<EchoRequest, EchoReply> unary, Action<GrpcServiceOptions>? options = null, TaskCompletionSource? disposed = null) =>
        TestServer.StartServiceAsync<ScriptedService>(options, services => services.AddSingleton(new Script(unary, disposed)));

    private static async Task<RpcException> FailAsync(TestServer server, EchoRequest? request = null)
    {
        using var channel = GrpcChannel.ForAddress(server.Address);
        return await Assert.ThrowsAsync<RpcException>(
            async () => await new Echo.EchoClient(channel).UnaryAsync(request ?? new EchoRequest(), deadline: Soon));
    }

    private sealed record Script(UnaryServerMethod<EchoRequest, EchoReply> Unary, TaskCompletionSource? Disposed);

    private sealed class ScriptedService(Script script) : Echo.EchoBase, IDisposable
    {
        public override Task<EchoReply> Unary(EchoRequest request, ServerCallContext context) => script.Unary(request, context);

        public void Dispose() => script.Disposed?.TrySetResult();
    }

    private sealed class LateWriter(TaskCompletionSource<Exception?> late) : Echo.EchoBase
    {
        public override async Task Expand(EchoRequest request, IServerStreamWriter<EchoReply> responseStream, ServerCallContext context)
        {
            await responseStream.WriteAsync(new EchoReply());
            await Task.Delay(1000, CancellationToken.None);
            late.SetResult(await Record.ExceptionAsync(() => responseStream.WriteAsync(new EchoReply())));
        }
    }
}
