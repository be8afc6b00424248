using System.Net;
using System.Net.WebSockets;
using CmvcStream.Core.Media;
using CmvcStream.Receiver.Tests.Present;
using CmvcStream.Receiver.Viewer;

namespace CmvcStream.Receiver.Tests.Viewer;

public sealed class LiveTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    [Fact]
    public async Task Present_OneFrame_ReachesThePageWithWhatItIs()
    {
        await using var host = await ViewerHost.StartAsync(new FakeEncoder(1000));
        await using var page = await host.ConnectAsync();
        var before = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();
        await page.TextAsync("state");

        host.Present(42, Provenance.Interpolated);
        var picture = await page.PictureAsync();

        Assert.Equal((1, Provenance.Interpolated, 64, 48, 42), (picture.Version, picture.Provenance, picture.Width, picture.Height, picture.Number));
        Assert.Equal(1_400_000, picture.PtsUs);
        Assert.InRange(picture.PresentedMs, before, DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() + 1);
        Assert.Equal(Enumerable.Repeat(TestFrames.Luma(42), 1000), picture.Picture);
    }

    [Fact]
    public async Task Present_ManyFrames_ReachAConfirmingPageInOrder()
    {
        await using var host = await ViewerHost.StartAsync();
        await using var page = await host.ConnectAsync();
        await page.TextAsync("state");

        for (var n = 0; n < 50; n++)
        {
            host.Present(n);
            Assert.Equal(n, (await page.PictureAsync()).Number);
            await page.ConfirmAsync();
        }

        Assert.Equal(0, host.Server.Skipped);
    }

    [Fact]
    public async Task Present_PageConfirmsNothing_GetsFourPicturesAndLaterTheNewest()
    {
        await using var host = await ViewerHost.StartAsync();
        await using var slow = await host.ConnectAsync();
        await using var quick = await host.ConnectAsync();
        await slow.TextAsync("state");
        await quick.TextAsync("state");
        for (var n = 0; n < 30; n++)
        {
            host.Present(n);
            Assert.Equal(n, (await quick.PictureAsync()).Number);
            await quick.ConfirmAsync();
            // What is its due has left before the next one could overtake it.
            if (n < 4)
                Assert.Equal(n, (await slow.PictureAsync()).Number);
        }

        await slow.ConfirmAsync();

        Assert.Equal(29, (await slow.PictureAsync()).Number);
        Assert.Equal(25, host.Server.Skipped);
    }

    [Fact]
    public async Task Present_NobodyWatches_EncodesNothingUntilSomebodyComes()
    {
        var encoder = new FakeEncoder();
        await using var host = await ViewerHost.StartAsync(encoder);
        for (var n = 0; n < 20; n++)
            host.Present(n);
        await Task.Delay(100);
        Assert.Equal(0, encoder.Calls);

        await using var page = await host.ConnectAsync();

        Assert.Equal(19, (await page.PictureAsync()).Number);
        Assert.Equal(1, encoder.Calls);
    }

    [Fact]
    public async Task Present_SeveralPages_EncodesOnceForAll()
    {
        var encoder = new FakeEncoder();
        await using var host = await ViewerHost.StartAsync(encoder);
        await using var first = await host.ConnectAsync();
        await using var second = await host.ConnectAsync();
        await first.TextAsync("state");
        await second.TextAsync("state");

        host.Present(5);

        Assert.Equal(5, (await first.PictureAsync()).Number);
        Assert.Equal(5, (await second.PictureAsync()).Number);
        Assert.Equal(1, encoder.Calls);
    }

    [Fact]
    public async Task Connect_WhileOthersWatch_ShowsTheLatestPictureAtOnce()
    {
        await using var host = await ViewerHost.StartAsync();
        await using var first = await host.ConnectAsync();
        host.Present(8);
        await first.PictureAsync();

        await using var second = await host.ConnectAsync();

        Assert.Equal(8, (await second.PictureAsync()).Number);
    }

    [Fact]
    public async Task State_NothingHappens_ComesFourTimesASecond()
    {
        await using var host = await ViewerHost.StartAsync();
        await using var page = await host.ConnectAsync();
        await page.TextAsync("state");
        await page.TextAsync("state");

        var times = new List<double>();
        for (var i = 0; i < 5; i++)
            times.Add((await page.TextAsync("state")).GetProperty("serverMs").GetDouble());

        Assert.InRange((times[^1] - times[0]) / 4, 150, 600);
    }

    [Fact]
    public async Task State_SceneChanges_IsToldBeforeTheNextTurn()
    {
        await using var host = await ViewerHost.StartAsync();
        await using var page = await host.ConnectAsync();
        await page.TextAsync("state");
        await page.TextAsync("state");

        host.State.Now = host.State.Now with { Mode = "TT2V" };
        var changed = Environment.TickCount64;
        while ((await page.TextAsync("state")).GetProperty("state").GetProperty("mode").GetString() != "TT2V")
        {
        }

        Assert.InRange(Environment.TickCount64 - changed, 0, 200);
    }

    [Fact]
    public async Task Ping_FromThePage_IsAnsweredWithTheServersTime()
    {
        await using var host = await ViewerHost.StartAsync();
        await using var page = await host.ConnectAsync();

        await page.SayAsync("""{"ping": 123.25}""");
        var pong = await page.TextAsync("pong");

        Assert.Equal(123.25, pong.GetProperty("ping").GetDouble());
        Assert.InRange(pong.GetProperty("serverMs").GetDouble() - DateTimeOffset.UtcNow.ToUnixTimeMilliseconds(), -2000, 2000);
    }

    [Theory]
    [InlineData("rubbish")]
    [InlineData("{}")]
    [InlineData("[1]")]
    [InlineData("{\"got\": \"1\"}")]
    [InlineData("{\"other\": 1}")]
    [InlineData("")]
    public async Task Say_WhatIsNoMessage_EndsOnlyThatPage(string message)
    {
        await using var host = await ViewerHost.StartAsync();
        await using var other = await host.ConnectAsync();
        await using var page = await host.ConnectAsync();

        await page.SayAsync(message);

        while (await page.ReadAsync() is not null)
        {
        }

        host.Present(3);
        Assert.Equal(3, (await other.PictureAsync()).Number);
    }

    [Theory]
    [InlineData("{\"got\": 1e300}")]
    [InlineData("{\"got\": -5}")]
    [InlineData("{\"got\": 999999}")]
    public async Task Say_AnAbsurdCount_DoesNotOpenTheWindow(string message)
    {
        await using var host = await ViewerHost.StartAsync();
        await using var page = await host.ConnectAsync();
        await using var quick = await host.ConnectAsync();
        await page.TextAsync("state");
        await quick.TextAsync("state");
        await page.SayAsync(message);
        await page.SayAsync("""{"ping": 1}""");
        await page.TextAsync("pong");

        for (var n = 0; n < 10; n++)
        {
            host.Present(n);
            await quick.PictureAsync();
            await quick.ConfirmAsync();
        }

        for (var n = 0; n < ViewerClient.Window; n++)
            await page.PictureAsync();
        await page.SayAsync("""{"ping": 2}""");
        while (await page.ReadAsync() is { } next && !(next is System.Text.Json.JsonElement text && text.GetProperty("type").GetString() == "pong"))
            Assert.IsNotType<LivePicture>(next);
    }

    [Theory]
    [InlineData("http://evil.example", HttpStatusCode.Forbidden)]
    [InlineData("null", HttpStatusCode.Forbidden)]
    [InlineData("http://127.0.0.1:1", HttpStatusCode.Forbidden)]
    public async Task Connect_FromAPageOfAnotherSite_IsRefused(string origin, HttpStatusCode expected)
    {
        await using var host = await ViewerHost.StartAsync();
        using var socket = new ClientWebSocket();
        socket.Options.SetRequestHeader("Origin", origin);
        socket.Options.CollectHttpResponseDetails = true;

        await Assert.ThrowsAsync<WebSocketException>(() =>
            socket.ConnectAsync(new UriBuilder(host.Server.Url) { Scheme = "ws", Path = "/live" }.Uri, CancellationToken.None));

        Assert.Equal(expected, socket.HttpStatusCode);
    }

    [Fact]
    public async Task Connect_FromOurOwnPage_IsLetIn()
    {
        await using var host = await ViewerHost.StartAsync();
        var origin = host.Server.Url.GetLeftPart(UriPartial.Authority);

        await using var page = await host.ConnectAsync(configure: o => o.SetRequestHeader("Origin", origin));

        Assert.Equal(WebSocketState.Open, page.Socket.State);
    }

    [Fact]
    public async Task Connect_WithATokenSet_NeedsIt()
    {
        await using var host = await ViewerHost.StartAsync(change: o => o with { Token = "s3cret" });

        await Assert.ThrowsAsync<WebSocketException>(() => host.ConnectAsync());
        await Assert.ThrowsAsync<WebSocketException>(() => host.ConnectAsync("token=s3cre"));
        await using var page = await host.ConnectAsync("token=s3cret");

        Assert.Equal(WebSocketState.Open, page.Socket.State);
    }

    [Fact]
    public async Task Connect_MoreThanTheLimit_IsToldToTryLater()
    {
        await using var host = await ViewerHost.StartAsync(change: o => o with { MaxViewers = 2 });
        await using var first = await host.ConnectAsync();
        await using var second = await host.ConnectAsync();
        await first.TextAsync("state");
        await second.TextAsync("state");

        await using var third = await host.ConnectAsync();

        Assert.Null(await third.ReadAsync());
        Assert.Equal(1013, (int)third.Socket.CloseStatus!.Value);
    }

    [Fact]
    public async Task Disconnect_OfAPage_FreesItsPlace()
    {
        await using var host = await ViewerHost.StartAsync();
        var page = await host.ConnectAsync();
        await page.TextAsync("state");
        Assert.Equal(1, host.Server.Viewers);

        await page.DisposeAsync();

        for (var waited = 0; host.Server.Viewers > 0 && waited < 100; waited++)
            await Task.Delay(50);
        Assert.Equal(0, host.Server.Viewers);
    }

    [Fact]
    public async Task Dispose_WithPagesConnected_SaysGoodbyeSoonAndTheAddressCanBeOpenedAgain()
    {
        var host = await ViewerHost.StartAsync();
        await using var page = await host.ConnectAsync();
        await page.TextAsync("state");

        var closing = host.DisposeAsync().AsTask();
        while (await page.ReadAsync() is not null)
        {
        }

        Assert.Equal(WebSocketCloseStatus.EndpointUnavailable, page.Socket.CloseStatus);
        await page.Socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, "", CancellationToken.None);
        await closing.WaitAsync(Patience);
        await using var again = await ViewerHost.StartAsync(port: host.Server.Url.Port);
        await using var back = await again.ConnectAsync();
        again.Present(1);
        Assert.Equal(1, (await back.PictureAsync()).Number);
    }
}
