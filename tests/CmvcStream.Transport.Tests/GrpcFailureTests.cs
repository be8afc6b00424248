using System.Net;
using System.Net.Sockets;
using CmvcStream.Protos;
using CmvcStream.TestKit;
using CmvcStream.Transport.Grpc;
using Xunit;

namespace CmvcStream.Transport.Tests;

public class GrpcFailureTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task Listen_PortInUse_SaysSo()
    {
        await using var pair = await Pair.StartAsync();

        var error = await Assert.ThrowsAsync<TransportException>(() =>
            new GrpcReceiverTransport().ListenAsync(pair.Url, new(), (_, _) => Task.CompletedTask, pair.Patience));

        Assert.Equal(TransportError.AddressInUse, error.Error);
        Assert.Contains(pair.Url.ToString(), error.Message);
    }

    [Fact]
    public async Task Connect_NobodyListens_IsUnreachable()
    {
        var port = FreePort();

        var error = await Assert.ThrowsAsync<TransportException>(() => ConnectAsync($"http://127.0.0.1:{port}"));

        Assert.Equal(TransportError.Unreachable, error.Error);
    }

    [Theory]
    [InlineData("ftp://127.0.0.1:21")]
    [InlineData("unix:/tmp/socket")]
    public async Task Connect_OtherScheme_IsABadAddress(string url)
    {
        var error = await Assert.ThrowsAsync<TransportException>(() => ConnectAsync(url));

        Assert.Equal(TransportError.BadAddress, error.Error);
    }

    [Fact]
    public async Task Receive_ReceiverDiesInTheMiddle_BreaksInsteadOfHanging()
    {
        await using var pair = await Pair.StartAsync();
        await using var relay = new FailingRelay(pair.Url);
        await using var sender = await ConnectAsync(relay.Url);
        await sender.SendAsync(Pair.Message(1), CancellationToken.None);
        var listening = Assert.ThrowsAsync<TransportException>(async () => await sender.ReceiveAsync(CancellationToken.None).ToListAsync());

        relay.Cut();

        Assert.Equal(TransportError.Broken, (await listening.WaitAsync(Soon)).Error);
    }

    [Fact]
    public async Task Send_ReceiverDiedBefore_BreaksInsteadOfHanging()
    {
        await using var pair = await Pair.StartAsync();
        await using var relay = new FailingRelay(pair.Url);
        await using var sender = await ConnectAsync(relay.Url);
        await sender.SendAsync(Pair.Message(1), CancellationToken.None);
        relay.Cut();

        async Task SendOnAsync()
        {
            while (true)
                await sender.SendAsync(Pair.Message(2), CancellationToken.None);
        }

        var error = await Assert.ThrowsAsync<TransportException>(() => SendOnAsync().WaitAsync(Soon));
        Assert.Equal(TransportError.Broken, error.Error);
    }

    [Fact]
    public async Task Receive_SenderDiesInTheMiddle_EndsTheSessionAtTheReceiver()
    {
        var ended = new TaskCompletionSource<Exception?>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var pair = await Pair.StartAsync(serve: async (session, stop) =>
        {
            await session.SendAsync(new() { Welcome = new() }, stop);
            ended.SetResult(await Record.ExceptionAsync(async () => await session.ReceiveAsync(stop).ToListAsync(stop)));
        });
        await using var relay = new FailingRelay(pair.Url);
        await using var sender = await ConnectAsync(relay.Url);
        await sender.SendAsync(Pair.Message(1), CancellationToken.None);
        await sender.ReceiveAsync(pair.Patience).FirstAsync(pair.Patience);

        relay.Cut();

        var error = await ended.Task.WaitAsync(Soon);
        Assert.True(error is TransportException { Error: TransportError.Broken } or OperationCanceledException, error?.ToString() ?? "no error");
    }

    [Fact]
    public async Task Connect_ToAWebServer_BreaksInsteadOfHanging()
    {
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        var answering = Task.Run(async () =>
        {
            using var client = await other.AcceptTcpClientAsync();
            await client.GetStream().WriteAsync("HTTP/1.1 400 Bad Request\r\n\r\n"u8.ToArray());
        });
        await using var sender = await ConnectAsync($"http://127.0.0.1:{((IPEndPoint)other.LocalEndpoint).Port}");
        _ = sender.SendAsync(Pair.Message(1), CancellationToken.None).ContinueWith(t => t.Exception, TaskScheduler.Default);

        var listening = Assert.ThrowsAsync<TransportException>(async () => await sender.ReceiveAsync(CancellationToken.None).ToListAsync());

        Assert.Equal(TransportError.Broken, (await listening.WaitAsync(Soon)).Error);
        await answering;
    }

    private static Task<ISession<SenderMessage, ReceiverMessage>> ConnectAsync(string url) =>
        new GrpcSenderTransport().ConnectAsync(new(url), new(), CancellationToken.None);

    private static int FreePort()
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }
}
