using System.Net;
using System.Text.Json;
using CmvcStream.Receiver.Present;
using CmvcStream.Receiver.Viewer;

namespace CmvcStream.Receiver.Tests.Viewer;

public sealed class ViewerServerTests
{
    [Theory]
    [InlineData("/", "text/html")]
    [InlineData("/viewer.js", "text/javascript")]
    [InlineData("/live.js", "text/javascript")]
    [InlineData("/charts.js", "text/javascript")]
    [InlineData("/panel.js", "text/javascript")]
    [InlineData("/viewer.css", "text/css")]
    [InlineData("/icon.svg", "image/svg+xml")]
    public async Task Get_AFileOfThePage_ServesItWithItsTypeAndAStrictPolicy(string path, string type)
    {
        await using var host = await ViewerHost.StartAsync();
        using var http = new HttpClient { BaseAddress = host.Server.Url };

        using var response = await http.GetAsync(path);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(type, response.Content.Headers.ContentType?.MediaType);
        Assert.NotEmpty(await response.Content.ReadAsByteArrayAsync());
        var policy = Assert.Single(response.Headers.GetValues("Content-Security-Policy"));
        Assert.StartsWith("default-src 'none'; script-src 'self'; style-src 'self'", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("unsafe", policy, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Get_AllFilesOfThePage_NameNoOtherSite()
    {
        await using var host = await ViewerHost.StartAsync();
        using var http = new HttpClient { BaseAddress = host.Server.Url };
        foreach (var path in new[] { "/", "/viewer.js", "/live.js", "/charts.js", "/panel.js", "/viewer.css", "/icon.svg" })
        {
            var text = (await http.GetStringAsync(path)).Replace("http://www.w3.org/2000/svg", "", StringComparison.Ordinal);
            Assert.DoesNotMatch("https?://|url\\(|import\\(", text);
        }
    }

    [Fact]
    public async Task Get_State_IsTheSnapshotAsJson()
    {
        await using var host = await ViewerHost.StartAsync();
        host.State.Now = new()
        {
            Phase = StreamPhase.Connected,
            Mode = "IT2V",
            WireRxKbps = 7.5,
            Frames = new(1, 5, 2, 3, 4),
            Scene = new(2.5, 1, "Warm evening light.", "Slow pan left."),
        };
        using var http = new HttpClient { BaseAddress = host.Server.Url };

        var message = JsonDocument.Parse(await http.GetStringAsync("/api/state")).RootElement;

        var state = message.GetProperty("state");
        Assert.Equal("connected", state.GetProperty("phase").GetString());
        Assert.Equal("IT2V", state.GetProperty("mode").GetString());
        Assert.Equal(7.5, state.GetProperty("wireRxKbps").GetDouble());
        Assert.Equal(JsonValueKind.Null, state.GetProperty("wireTxKbps").ValueKind);
        Assert.Equal(3, state.GetProperty("frames").GetProperty("extrapolated").GetInt64());
        Assert.Equal("Slow pan left.", state.GetProperty("scene").GetProperty("motion").GetString());
        Assert.Equal(0, message.GetProperty("viewers").GetInt32());
    }

    [Theory]
    [InlineData("/nothing", HttpStatusCode.NotFound)]
    [InlineData("/../appsettings.json", HttpStatusCode.NotFound)]
    [InlineData("/live", HttpStatusCode.UpgradeRequired)]
    public async Task Get_WhatIsNotThere_IsRefused(string path, HttpStatusCode expected)
    {
        await using var host = await ViewerHost.StartAsync();
        using var http = new HttpClient { BaseAddress = host.Server.Url };

        using var response = await http.GetAsync(path);

        Assert.Equal(expected, response.StatusCode);
    }

    [Fact]
    public async Task Post_Anything_IsRefused()
    {
        await using var host = await ViewerHost.StartAsync();
        using var http = new HttpClient { BaseAddress = host.Server.Url };

        using var response = await http.PostAsync("/api/state", new StringContent(""));

        Assert.Equal(HttpStatusCode.MethodNotAllowed, response.StatusCode);
    }

    [Theory]
    [InlineData("evil.example", HttpStatusCode.MisdirectedRequest)]
    [InlineData("evil.example:80", HttpStatusCode.MisdirectedRequest)]
    [InlineData("localhost:1234", HttpStatusCode.OK)]
    [InlineData("192.168.1.7:8080", HttpStatusCode.OK)]
    [InlineData("[::1]:8080", HttpStatusCode.OK)]
    public async Task Get_UnderAName_IsAnsweredOnlyForOurOwn(string name, HttpStatusCode expected)
    {
        await using var host = await ViewerHost.StartAsync();
        using var http = new HttpClient { BaseAddress = host.Server.Url };
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/state") { Headers = { Host = name } };

        using var response = await http.SendAsync(request);

        Assert.Equal(expected, response.StatusCode);
    }

    [Theory]
    [InlineData("/", "", HttpStatusCode.Unauthorized)]
    [InlineData("/api/state", "?token=wrong", HttpStatusCode.Unauthorized)]
    [InlineData("/api/state", "?token=s3cret", HttpStatusCode.OK)]
    [InlineData("/", "?token=s3cret", HttpStatusCode.OK)]
    [InlineData("/viewer.css", "", HttpStatusCode.OK)]
    public async Task Get_WithATokenSet_AsksForIt(string path, string query, HttpStatusCode expected)
    {
        await using var host = await ViewerHost.StartAsync(change: o => o with { Token = "s3cret" });
        using var http = new HttpClient { BaseAddress = host.Server.Url };

        using var response = await http.GetAsync(path + query);

        Assert.Equal(expected, response.StatusCode);
    }

    [Fact]
    public async Task StartAsync_PortTaken_SaysWhichAddressAndWhatToDo()
    {
        await using var host = await ViewerHost.StartAsync();

        var e = await Assert.ThrowsAsync<SinkException>(() => ViewerHost.StartAsync(port: host.Server.Url.Port));

        Assert.Contains(host.Server.Url.ToString(), e.Message, StringComparison.Ordinal);
        Assert.Contains("choose another --view address", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("8080")]
    [InlineData("https://127.0.0.1:8080")]
    [InlineData("http://127.0.0.1:8080/page")]
    [InlineData("ftp://127.0.0.1")]
    [InlineData("")]
    public void Parse_NoAddressForAPage_SaysWhatIsExpected(string url) =>
        Assert.Contains("http://127.0.0.1:8080", Assert.Throws<FormatException>(() => ViewerOptions.Parse(url)).Message, StringComparison.Ordinal);
}
