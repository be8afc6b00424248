using System.Net;
using System.Text;
using System.Text.Json;
using CmvcStream.Core.Media;
using Xunit;

namespace CmvcStream.Throttle.Tests;

/// <summary>Looking at the link and changing it, over HTTP and with keys.</summary>
public sealed class ControlServerTests : IAsyncLifetime
{
    private readonly HttpClient _http = new();
    private RelayFixture _fixture = null!;
    private ControlServer _server = null!;

    public async ValueTask InitializeAsync()
    {
        _fixture = await RelayFixture.StartAsync(new() { Rate = new(8000), Delay = MediaTime.FromMilliseconds(200), Loss = 0.02 });
        _server = await ControlServer.StartAsync(new("127.0.0.1", 0), _fixture.Relay, CancellationToken.None);
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await _server.DisposeAsync();
        await _fixture.DisposeAsync();
    }

    [Fact]
    public async Task Get_Link_SaysWhatItIsLikeAndWhatWentThrough()
    {
        foreach (var path in new[] { "/", "/link" })
        {
            var json = JsonDocument.Parse(await _http.GetStringAsync(new Uri(_server.Url, path))).RootElement;
            Assert.Equal("throttle", json.GetProperty("role").GetString());
            Assert.Equal(8000, json.GetProperty("link").GetProperty("rate_bps").GetInt64());
            Assert.Equal(0.02, json.GetProperty("link").GetProperty("loss").GetDouble());
            Assert.False(json.GetProperty("link").GetProperty("outage").GetBoolean());
            Assert.Equal(0, json.GetProperty("up").GetProperty("lost").GetInt64());
            Assert.Equal(JsonValueKind.Null, json.GetProperty("up").GetProperty("queue_ms").ValueKind);
            Assert.Equal(JsonValueKind.Null, json.GetProperty("udp").ValueKind);
        }
    }

    [Theory]
    [InlineData("""{"rate": "4kbps"}""", "4 kbit/s, delay 200 ± 0 ms, loss 2 %")]
    [InlineData("""{"rate": 2400, "delay": "1.5s", "jitter": "100ms"}""", "2.4 kbit/s, delay 1500 ± 100 ms, loss 2 %")]
    [InlineData("""{"rate": null, "loss": "5%,burst=3"}""", "no limit, delay 200 ± 0 ms, loss 5 % in bursts of 3")]
    [InlineData("""{"loss": "0%", "reorder": "1%", "duplicate": "2%", "queue": "9KB"}""", "8 kbit/s, delay 200 ± 0 ms, loss 0 %")]
    [InlineData("""{"outage": "60s"}""", "8 kbit/s, delay 200 ± 0 ms, loss 2 %, OUTAGE")]
    [InlineData("""{"outage": true}""", "8 kbit/s, delay 200 ± 0 ms, loss 2 %, OUTAGE")]
    [InlineData("{}", "8 kbit/s, delay 200 ± 0 ms, loss 2 %")]
    public async Task Put_Change_IsTheLinkFromThenOn(string change, string link)
    {
        foreach (var method in new[] { HttpMethod.Put, HttpMethod.Post })
        {
            var (status, json) = await SendAsync(method, change);
            Assert.Equal(HttpStatusCode.OK, status);
            Assert.Equal("throttle", json.GetProperty("role").GetString());
            Assert.Equal(link, LinkText.Describe(_fixture.Relay.Link, _fixture.Relay.Now));
        }

        await SendAsync(HttpMethod.Put, """{"outage": false}""");
        Assert.True(_fixture.Relay.Link.IsUp(_fixture.Relay.Now));
    }

    [Theory]
    [InlineData("""{"rate": "fast"}""", "rate: 'fast'")]
    [InlineData("""{"rate": "4kbps", "speed": 1}""", "speed: unknown")]
    [InlineData("""{"rate": true}""", "rate: true")]
    [InlineData("""{"loss": "2"}""", "loss: '2'")]
    [InlineData("""{"rate": "4kbps", "jitter": "300ms"}""", "jitter 0.300 s is out of range")]
    [InlineData("""{"outage": "soon"}""", "outage: 'soon'")]
    [InlineData("""{"rate": "\ud800"}""", "no valid Unicode")]
    [InlineData("""{"\ud800": "8kbps"}""", "no valid Unicode")]
    [InlineData("[]", "a change is an object")]
    [InlineData("{", "no JSON")]
    public async Task Put_NoChange_Is400WithTheReasonAndLeavesTheLink(string change, string reason)
    {
        var (status, json) = await SendAsync(HttpMethod.Put, change);
        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Contains(reason, json.GetProperty("error").GetString(), StringComparison.Ordinal);
        Assert.Equal(new(8000), _fixture.Relay.Link.Rate);
    }

    [Fact]
    public async Task Send_NotWhatItTakes_SaysWhatItTakes()
    {
        using var form = new StringContent("""{"rate": "1kbps"}""", Encoding.UTF8, "text/plain"); // what a page of somebody else could send
        using var plain = await _http.PostAsync(_server.Url, form);
        Assert.Equal(HttpStatusCode.BadRequest, plain.StatusCode);
        Assert.Contains("application/json", await plain.Content.ReadAsStringAsync(), StringComparison.Ordinal);

        using var nowhere = await _http.GetAsync(new Uri(_server.Url, "/other"));
        Assert.Equal(HttpStatusCode.NotFound, nowhere.StatusCode);
        using var delete = await _http.DeleteAsync(_server.Url);
        Assert.Equal(HttpStatusCode.MethodNotAllowed, delete.StatusCode);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, (await SendAsync(HttpMethod.Put, new string(' ', 20_000) + "{}")).Status);
    }

    [Theory]
    [InlineData("+", "10 kbit/s, delay 200 ± 0 ms, loss 2 %")]
    [InlineData("-", "6.4 kbit/s, delay 200 ± 0 ms, loss 2 %")]
    [InlineData("+-", "8 kbit/s, delay 200 ± 0 ms, loss 2 %")]
    [InlineData("D", "8 kbit/s, delay 250 ± 0 ms, loss 2 %")]
    [InlineData("ddddddd", "8 kbit/s, delay 0 ± 0 ms, loss 2 %")]
    [InlineData("LL", "8 kbit/s, delay 200 ± 0 ms, loss 4 %")]
    [InlineData("lll", "8 kbit/s, delay 200 ± 0 ms, loss 0 %")]
    [InlineData("o", "8 kbit/s, delay 200 ± 0 ms, loss 2 %, OUTAGE")]
    [InlineData("oo", "8 kbit/s, delay 200 ± 0 ms, loss 2 %")]
    public void Press_Keys_ChangeTheLink(string keys, string link)
    {
        string? said = null;
        foreach (var key in keys)
            said = LinkKeys.Press(key, _fixture.Relay);
        Assert.Equal(link, said);
    }

    [Fact]
    public void Press_OtherKeys_HelpOrNothing()
    {
        Assert.Equal(LinkKeys.Help, LinkKeys.Press('?', _fixture.Relay));
        Assert.Null(LinkKeys.Press('x', _fixture.Relay));
        _fixture.Relay.Change(link => link with { Rate = null });
        Assert.Contains("--rate", LinkKeys.Press('+', _fixture.Relay), StringComparison.Ordinal);
    }

    private async Task<(HttpStatusCode Status, JsonElement Json)> SendAsync(HttpMethod method, string change)
    {
        using var request = new HttpRequestMessage(method, _server.Url) { Content = new StringContent(change, Encoding.UTF8, "application/json") };
        using var answer = await _http.SendAsync(request);
        return (answer.StatusCode, JsonDocument.Parse(await answer.Content.ReadAsStringAsync()).RootElement);
    }
}
