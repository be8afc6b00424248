using System.Net;
using System.Net.Sockets;
using CmvcStream.Grpc.Tests.Protos;
using CmvcStream.Grpc.Tests.Support;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Xunit;

namespace CmvcStream.Grpc.Tests;

/// <summary>Answers that no gRPC server gives: each becomes the status that the specification says, and nothing hangs.</summary>
public sealed class MalformedResponseTests
{
    private static DateTime Soon => DateTime.UtcNow.AddSeconds(20);

    [Theory]
    [InlineData(400, StatusCode.Internal)]
    [InlineData(401, StatusCode.Unauthenticated)]
    [InlineData(403, StatusCode.PermissionDenied)]
    [InlineData(404, StatusCode.Unimplemented)]
    [InlineData(418, StatusCode.Unknown)]
    [InlineData(429, StatusCode.Unavailable)]
    [InlineData(500, StatusCode.Unknown)]
    [InlineData(502, StatusCode.Unavailable)]
    [InlineData(503, StatusCode.Unavailable)]
    [InlineData(504, StatusCode.Unavailable)]
    public Task Unary_HttpStatusWithoutGrpcStatus_IsMapped(int httpStatus, StatusCode expected) => AssertStatusAsync(expected, context =>
    {
        context.Response.StatusCode = httpStatus;
        return Task.CompletedTask;
    });

    // PROTOCOL-HTTP2.md, "Errors".
    [Theory]
    [InlineData(0x0, StatusCode.Internal)] // NO_ERROR
    [InlineData(0x1, StatusCode.Internal)] // PROTOCOL_ERROR
    [InlineData(0x2, StatusCode.Internal)] // INTERNAL_ERROR
    [InlineData(0x3, StatusCode.Internal)] // FLOW_CONTROL_ERROR
    [InlineData(0x7, StatusCode.Unavailable)] // REFUSED_STREAM
    [InlineData(0x8, StatusCode.Cancelled)] // CANCEL
    [InlineData(0xb, StatusCode.ResourceExhausted)] // ENHANCE_YOUR_CALM
    [InlineData(0xc, StatusCode.PermissionDenied)] // INADEQUATE_SECURITY
    public Task Unary_StreamReset_IsMapped(int errorCode, StatusCode expected) => AssertStatusAsync(expected, async context =>
    {
        context.Response.ContentType = "application/grpc";
        await context.Response.StartAsync();
        await context.Response.BodyWriter.FlushAsync();
        context.Features.GetRequiredFeature<IHttpResetFeature>().Reset(errorCode);
    });

    [Theory]
    [InlineData(new byte[] { 9, 0, 0, 0, 1, 0 }, StatusCode.Internal)] // no gRPC framing
    [InlineData(new byte[] { 0, 0, 0, 0, 9, 1 }, StatusCode.Internal)] // cut short
    [InlineData(new byte[] { 0, 255, 255, 255, 255 }, StatusCode.ResourceExhausted)]
    [InlineData(new byte[] { 1, 0, 0, 0, 1, 0 }, StatusCode.Internal)] // compressed with nothing
    [InlineData(new byte[] { 0, 0, 0, 0, 1, 255 }, StatusCode.Internal)] // no protobuf
    [InlineData(new byte[] { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 }, StatusCode.Internal)] // two responses
    [InlineData(new byte[] { }, StatusCode.Internal)] // OK without a response
    public Task Unary_BadBody_IsStatus(byte[] body, StatusCode expected) => AssertStatusAsync(expected, async context =>
    {
        context.Response.ContentType = "application/grpc";
        await context.Response.StartAsync();
        await context.Response.BodyWriter.WriteAsync(body);
        context.Response.AppendTrailer("grpc-status", "0");
    });

    [Fact]
    public Task Unary_NotGrpc_UnknownAndSaysSo() => AssertStatusAsync(StatusCode.Unknown, context =>
    {
        context.Response.ContentType = "text/html";
        return context.Response.WriteAsync("<p>Welcome</p>");
    }, "text/html");

    [Fact]
    public Task Unary_NoStatus_Unknown() => AssertStatusAsync(StatusCode.Unknown, async context =>
    {
        context.Response.ContentType = "application/grpc";
        await context.Response.BodyWriter.WriteAsync(new byte[] { 0, 0, 0, 0, 0 });
    }, "grpc-status");

    [Theory]
    [InlineData("99")]
    [InlineData("fine")]
    public Task Unary_StatusThatDoesNotExist_Unknown(string status) => AssertStatusAsync(StatusCode.Unknown, context =>
    {
        context.Response.ContentType = "application/grpc";
        context.Response.Headers["grpc-status"] = status;
        return Task.CompletedTask;
    });

    [Fact]
    public Task Unary_EncodingThatWeDidNotOffer_Internal() => AssertStatusAsync(StatusCode.Internal, async context =>
    {
        context.Response.ContentType = "application/grpc";
        context.Response.Headers["grpc-encoding"] = "gzip";
        await context.Response.BodyWriter.WriteAsync(new byte[] { 1, 0, 0, 0, 1, 0 });
    }, "gzip");

    [Fact]
    public Task Unary_HttpErrorWithGrpcStatus_GrpcStatusCounts() => AssertStatusAsync(StatusCode.ResourceExhausted, context =>
    {
        context.Response.StatusCode = 500;
        context.Response.Headers["grpc-status"] = "8";
        context.Response.Headers["grpc-message"] = "100%25 used, 5%zz";
        return Task.CompletedTask;
    }, "100% used, 5%zz");

    [Fact]
    public async Task Unary_NobodyListens_Unavailable()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0)); // bound, so that nobody else takes the port, but not listening

        await AssertStatusAsync(StatusCode.Unavailable, $"http://{socket.LocalEndPoint}");
    }

    [Fact]
    public async Task Unary_ServerSpeaksAnotherProtocol_Unavailable()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var serve = Task.Run(async () =>
        {
            using var connection = await listener.AcceptTcpClientAsync();
            await connection.GetStream().WriteAsync("220 mail.example ESMTP, who are you and what do you want?\r\n"u8.ToArray());
            await connection.GetStream().CopyToAsync(Stream.Null);
        });

        await AssertStatusAsync(StatusCode.Unavailable, $"http://{listener.LocalEndpoint}");
        await serve.WaitAsync(TimeSpan.FromSeconds(10));
    }

    [Fact]
    public async Task Unary_ServerHangsUp_Unavailable()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var serve = Task.Run(async () =>
        {
            using var connection = await listener.AcceptTcpClientAsync();
            await connection.GetStream().ReadAtLeastAsync(new byte[24], 24);
        });

        await AssertStatusAsync(StatusCode.Unavailable, $"http://{listener.LocalEndpoint}");
        await serve;
    }

    private static async Task AssertStatusAsync(StatusCode expected, RequestDelegate answer, string detail = "")
    {
        await using var server = await TestServer.StartRawAsync(answer);
        await AssertStatusAsync(expected, server.Address, detail);
    }

    private static async Task AssertStatusAsync(StatusCode expected, string address, string detail = "")
    {
        using var channel = GrpcChannel.ForAddress(address);
        var failure = await Assert.ThrowsAsync<RpcException>(
            async () => await new Echo.EchoClient(channel).UnaryAsync(new EchoRequest { Text = "x" }, deadline: Soon));
        Assert.True(expected == failure.StatusCode, failure.ToString());
        Assert.Contains(detail, failure.Status.Detail, StringComparison.Ordinal);
    }
}
