using System.Net.Sockets;
using Xunit;

namespace EndToEnd.Tests.Session;

public sealed class BadInputTests : IDisposable
{
    private readonly Programs _programs = new();

    [Theory]
    [InlineData("0", "--max-rate")]
    [InlineData("1Tbps", "--max-rate")]
    [InlineData("fast", "is no rate")]
    public async Task Send_AbsurdRate_IsWrongUsage(string rate, string message) =>
        await RefusedAsync(2, message, "cmvc-send", "--source", "synthetic:street", "--to", "http://127.0.0.1:9", "--max-rate", rate);

    [Theory]
    [InlineData("5x5")]
    [InlineData("100000x100000")]
    [InlineData("big")]
    public async Task Send_AbsurdSize_IsWrongUsage(string size) =>
        await RefusedAsync(2, "--size", "cmvc-send", "--source", "synthetic:street", "--to", "http://127.0.0.1:9", "--size", size);

    [Fact]
    public async Task Send_UnknownScene_NamesTheScenes() =>
        await RefusedAsync(2, "street", "cmvc-send", "--source", "synthetic:mars", "--to", "http://127.0.0.1:9");

    [Fact]
    public async Task Send_NoReceiver_SaysSo() =>
        await RefusedAsync(1, "cannot reach a receiver", "cmvc-send", "--source", "synthetic:street", "--to", "http://127.0.0.1:9");

    [Fact]
    public async Task Send_CameraThatDoesNotExist_SaysSo() =>
        await RefusedAsync(1, "/dev/video97", "cmvc-send", "--source", "camera:/dev/video97", "--to", "http://127.0.0.1:9");

    [Fact]
    public async Task Send_ClipThatIsNoVideo_SaysSo()
    {
        var clip = _programs.PathOf("notes.mp4");
        await File.WriteAllTextAsync(clip, "not a video");

        await RefusedAsync(1, "notes.mp4", "cmvc-send", "--source", "file:" + clip, "--to", "http://127.0.0.1:9");
    }

    [Fact]
    public async Task Receive_PortInUse_SaysSo()
    {
        var (_, url) = await _programs.ReceiverAsync();

        await RefusedAsync(1, "in use", "cmvc-receive", "--listen", url);
    }

    [Fact]
    public async Task Receive_UnknownOutput_IsWrongUsage() =>
        await RefusedAsync(2, "is no output", "cmvc-receive", "--listen", "http://127.0.0.1:0", "--out", "avi:x");

    [Theory]
    [InlineData("GET / HTTP/1.1\r\nHost: x\r\n\r\n")]
    [InlineData("\0\u0001\u0002garbage that is no HTTP/2 preface, and goes on for a while")]
    public async Task Receive_GarbageOnThePort_ServesTheNextSender(string garbage)
    {
        var (receiver, url) = await _programs.ReceiverAsync("--out", "null:");
        using (var client = new TcpClient())
        {
            await client.ConnectAsync("127.0.0.1", new Uri(url).Port);
            await client.GetStream().WriteAsync(System.Text.Encoding.Latin1.GetBytes(garbage));
            await Task.Delay(200);
        }

        var sender = _programs.Start("cmvc-send", "--source", "synthetic:street", "--to", url, "--max-rate", "30kbps", "--for", "2s");

        Assert.Equal(0, await sender.ExitAsync());
        await receiver.ErrorLineAsync("shows synthetic:street");
    }

    public void Dispose() => _programs.Dispose();

    private async Task RefusedAsync(int exit, string message, string program, params string[] arguments)
    {
        var running = _programs.Start(program, arguments);
        Assert.Equal(exit, await running.ExitAsync());
        Assert.Contains(message, running.Errors);
    }
}
