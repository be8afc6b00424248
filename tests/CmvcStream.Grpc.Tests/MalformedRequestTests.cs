using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using CmvcStream.Grpc.Tests.Protos;
using CmvcStream.Grpc.Tests.Support;
using Grpc.Net.Client;
using Xunit;

namespace CmvcStream.Grpc.Tests;

/// <summary>Requests that no gRPC client sends: each gets a clear answer, and the server goes on serving.</summary>
public sealed class MalformedRequestTests : IAsyncLifetime
{
    private readonly HttpMessageInvoker _http = new(new SocketsHttpHandler());
    private TestServer _server = null!;

    public async ValueTask InitializeAsync() => _server = await TestServer.StartEchoAsync();

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await _server.DisposeAsync();
    }

    [Theory]
    [InlineData(new byte[] { 7, 0, 0, 0, 1, 0 }, "13", "no gRPC message")] // neither compressed nor not
    [InlineData(new byte[] { 0, 0, 0, 0, 9, 1 }, "13", "cut short")] // eight bytes are missing
    [InlineData(new byte[] { 0, 0 }, "13", "cut short")] // a part of a prefix
    [InlineData(new byte[] { 0, 255, 255, 255, 255 }, "8", "limit")] // 4 GiB announced
    [InlineData(new byte[] { 1, 0, 0, 0, 1, 0 }, "13", "no grpc-encoding")] // compressed with nothing
    [InlineData(new byte[] { 0, 0, 0, 0, 1, 255 }, "13", "deserialized")] // no protobuf
    [InlineData(new byte[] { }, "13", "no request")]
    [InlineData(new byte[] { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 }, "13", "more than one request")]
    public async Task Unary_BadBody_EndsWithStatus(byte[] body, string status, string message)
    {
        var (httpStatus, headers) = await PostAsync(body);

        Assert.Equal(HttpStatusCode.OK, httpStatus);
        Assert.Equal(status, headers["grpc-status"]);
        Assert.Contains(message, headers["grpc-message"], StringComparison.Ordinal);
        await AssertServesAsync();
    }

    [Theory]
    [InlineData("text/plain")]
    [InlineData("application/grpc-web")]
    [InlineData(null)]
    public async Task Unary_WrongContentType_UnsupportedMediaType(string? contentType)
    {
        var (httpStatus, _) = await PostAsync([0, 0, 0, 0, 0], contentType: contentType);

        Assert.Equal(HttpStatusCode.UnsupportedMediaType, httpStatus);
        await AssertServesAsync();
    }

    [Theory]
    [InlineData("application/grpc+proto")]
    [InlineData("application/grpc; charset=utf-8")]
    public async Task Unary_ContentTypeWithMore_IsServed(string contentType)
    {
        var (_, headers) = await PostAsync([0, 0, 0, 0, 0], contentType: contentType);

        Assert.Equal("0", headers["grpc-status"]);
    }

    [Fact]
    public async Task UnknownPath_NotGrpc_IsLeftToTheApplication()
    {
        var (httpStatus, _) = await PostAsync([], "/some/page", "text/plain");

        Assert.Equal(HttpStatusCode.NotFound, httpStatus);
    }

    [Fact]
    public async Task Unary_Get_MethodNotAllowed()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"{_server.Address}/cmvc.grpc.test.v1.Echo/Unary")
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };

        using var response = await _http.SendAsync(request, CancellationToken.None);

        Assert.Equal(HttpStatusCode.MethodNotAllowed, response.StatusCode);
    }

    [Theory]
    [InlineData("soon")]
    [InlineData("123456789S")]
    [InlineData("-1S")]
    public async Task Unary_BadTimeout_Internal(string timeout)
    {
        var (_, headers) = await PostAsync([0, 0, 0, 0, 0], more: ("grpc-timeout", timeout));

        Assert.Equal("13", headers["grpc-status"]);
        Assert.Contains("grpc-timeout", headers["grpc-message"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Unary_BinaryMetadataIsNotBase64_Internal()
    {
        var (_, headers) = await PostAsync([0, 0, 0, 0, 0], more: ("x-echo-bin", "***"));

        Assert.Equal("13", headers["grpc-status"]);
        Assert.Contains("x-echo-bin", headers["grpc-message"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Unary_RepeatedBinaryMetadata_KeepsItsValues()
    {
        var (_, headers) = await PostAsync([0, 0, 0, 0, 0], more: ("x-echo-bin", "AP8B, Ag=="));

        Assert.Equal("AP8B, Ag", headers["x-echo-bin"]);
    }

    [Fact]
    public async Task Unary_UnknownEncoding_UnimplementedAndToldWhatIsAccepted()
    {
        var (_, headers) = await PostAsync([1, 0, 0, 0, 1, 0], more: ("grpc-encoding", "snappy"));

        Assert.Equal("12", headers["grpc-status"]);
        Assert.Equal("identity,gzip", headers["grpc-accept-encoding"]);
    }

    [Fact]
    public async Task Unary_GzipIsGarbage_Internal()
    {
        var (_, headers) = await PostAsync([1, 0, 0, 0, 4, 1, 2, 3, 4], more: ("grpc-encoding", "gzip"));

        Assert.Equal("13", headers["grpc-status"]);
    }

    [Fact]
    public async Task Unary_GzipGrowsPastTheLimit_ResourceExhausted()
    {
        using var zipped = new MemoryStream();
        using (var gzip = new System.IO.Compression.GZipStream(zipped, System.IO.Compression.CompressionLevel.Fastest, leaveOpen: true))
            gzip.Write(new byte[64 * 1024 * 1024]);
        var length = (int)zipped.Length;
        byte[] body = [1, (byte)(length >> 24), (byte)(length >> 16), (byte)(length >> 8), (byte)length, .. zipped.ToArray()];

        var (_, headers) = await PostAsync(body, more: ("grpc-encoding", "gzip"));

        Assert.Equal("8", headers["grpc-status"]);
        await AssertServesAsync();
    }

    [Fact]
    public async Task Port_Garbage_ServerGoesOn()
    {
        var random = new Random(20);
        for (var i = 0; i < 20; i++)
        {
            var garbage = new byte[random.Next(1, 2000)];
            random.NextBytes(garbage);
            await SendRawAsync(garbage);
        }

        await AssertServesAsync();
    }

    [Fact]
    public async Task Port_GarbageAfterPreface_ServerGoesOn()
    {
        var random = new Random(21);
        for (var i = 0; i < 20; i++)
        {
            var garbage = new byte[random.Next(1, 2000)];
            random.NextBytes(garbage);
            byte[] emptySettings = [0, 0, 0, 4, 0, 0, 0, 0, 0];
            await SendRawAsync([.. "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8, .. emptySettings, .. garbage]);
        }

        await AssertServesAsync();
    }

    private async Task SendRawAsync(byte[] bytes)
    {
        using var socket = new TcpClient();
        await socket.ConnectAsync(IPAddress.Loopback, _server.Port);
        await socket.GetStream().WriteAsync(bytes);
        await Task.Delay(10);
    }

    private async Task<(HttpStatusCode Status, Dictionary<string, string> HeadersAndTrailers)> PostAsync(
        byte[] body, string path = "/cmvc.grpc.test.v1.Echo/Unary", string? contentType = "application/grpc", (string Name, string Value)? more = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, _server.Address + path)
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new ByteArrayContent(body),
        };
        request.Content.Headers.ContentType = contentType is null ? null : MediaTypeHeaderValue.Parse(contentType);
        if (more is { } header)
            request.Headers.TryAddWithoutValidation(header.Name, header.Value);

        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        using var response = await _http.SendAsync(request, patience.Token);
        await response.Content.ReadAsByteArrayAsync(patience.Token);
        var all = response.Headers.Concat(response.TrailingHeaders);
        return (response.StatusCode, all.ToDictionary(pair => pair.Key, pair => Uri.UnescapeDataString(string.Join(", ", pair.Value))));
    }

    private async Task AssertServesAsync()
    {
        using var channel = GrpcChannel.ForAddress(_server.Address);
        var reply = await new Echo.EchoClient(channel).UnaryAsync(new EchoRequest { Text = "still there" }, deadline: DateTime.UtcNow.AddSeconds(20));
        Assert.Equal("still there", reply.Text);
    }
}
