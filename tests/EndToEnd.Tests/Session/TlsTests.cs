using System.Text.Json;
using Xunit;

namespace EndToEnd.Tests.Session;

public sealed class TlsTests : IDisposable
{
    private const string Anywhere = "https://127.0.0.1:0";

    private readonly Programs _programs = new();

    [Fact]
    public async Task Send_TrustingTheFingerprintThatTheReceiverSays_IsReceived()
    {
        var stats = _programs.PathOf("tx.json");
        var (receiver, url) = await _programs.ReceiverAtAsync(Anywhere, "--out", "null:", "--token", "SECRET");
        Assert.StartsWith("https://127.0.0.1:", url);

        var sender = Send(url, "--token", "SECRET", "--trust", await FingerprintAsync(receiver), "--stats", stats);

        Assert.Equal(0, await sender.ExitAsync());
        await receiver.ErrorLineAsync("shows synthetic:street");
        using var tx = JsonDocument.Parse(await File.ReadAllTextAsync(stats));
        Assert.True(tx.RootElement.GetProperty("frames").GetProperty("coded").GetInt64() >= 1);
        Assert.Equal("tcp_info", tx.RootElement.GetProperty("wire").GetProperty("from").GetString());
    }

    [Theory]
    [InlineData("own.pem", "key.pem")]
    [InlineData("own.pfx", null)]
    public async Task Send_TrustingTheReceiversCertificateFile_IsReceived(string certificate, string? key)
    {
        var files = new Certificates(_programs.Folder);
        var (_, url) = await _programs.ReceiverAtAsync(Anywhere, ["--out", "null:", "--certificate", files.PathOf(certificate), .. key is null ? [] : (string[])["--key", files.PathOf(key)]]);

        Assert.Equal(0, await Send(url, "--trust", files.PathOf("own.pem")).ExitAsync());
    }

    [Fact]
    public async Task Send_ToACertificateThatTheSystemTrusts_NeedsNoTrust()
    {
        var files = new Certificates(_programs.Folder);
        var (_, url) = await _programs.ReceiverAtAsync(Anywhere, "--out", "null:", "--certificate", files.PathOf("chain.pem"), "--key", files.PathOf("key.pem"));

        var knowing = _programs.StartWith(new() { ["SSL_CERT_FILE"] = files.PathOf("root.pem") }, "cmvc-send", Arguments(url));
        Assert.Equal(0, await knowing.ExitAsync());
        await RefusedAsync(1, "is not trusted here", Send(url));
        // Trusted, but for another name.
        var other = _programs.StartWith(new() { ["SSL_CERT_FILE"] = files.PathOf("root.pem") }, "cmvc-send", Arguments(url.Replace("127.0.0.1", "localhost", StringComparison.Ordinal)));
        await RefusedAsync(1, "it is not for the name localhost", other);
    }

    [Fact]
    public async Task Send_WrongFingerprintOrNone_IsRefusedSayingHowToMendIt()
    {
        var (receiver, url) = await _programs.ReceiverAtAsync(Anywhere, "--out", "null:");
        var fingerprint = await FingerprintAsync(receiver);

        await RefusedAsync(1, "another certificate than --trust says: " + fingerprint, Send(url, "--trust", "sha256:" + new string('0', 64)));
        await RefusedAsync(1, "--trust " + fingerprint, Send(url));
        Assert.DoesNotContain("shows", receiver.Errors);

        Assert.Equal(0, await Send(url, "--trust", fingerprint).ExitAsync());
    }

    [Fact]
    public async Task Send_OneEndWithoutTls_SaysWhich()
    {
        var (_, secure) = await _programs.ReceiverAtAsync(Anywhere, "--out", "null:");
        var (_, clear) = await _programs.ReceiverAsync("--out", "null:");

        await RefusedAsync(1, "does it listen on https:", Send(secure.Replace("https", "http", StringComparison.Ordinal)));
        await RefusedAsync(1, "Does the receiver listen on https:?", Send(clear.Replace("http", "https", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("there is no private key in it; name the key's file with --key", "--certificate", "own.pem")]
    [InlineData("does not belong to it", "--certificate", "own.pem", "--key", "other.pem")]
    [InlineData("has a password", "--certificate", "own.pem", "--key", "secret.pem")]
    [InlineData("there is no private key in it", "--certificate", "own.pem", "--key", "notes.txt")]
    [InlineData("there is no certificate in it", "--certificate", "key.pem")]
    [InlineData("damaged", "--certificate", "damaged.pem", "--key", "key.pem")]
    [InlineData("neither PEM nor a PFX", "--certificate", "notes.txt")]
    [InlineData("--key goes with PEM only", "--certificate", "own.pfx", "--key", "key.pem")]
    [InlineData("missing.pem", "--certificate", "missing.pem")]
    [InlineData("missing.pem", "--certificate", "own.pem", "--key", "missing.pem")]
    [InlineData("--key goes with --certificate", "--key", "key.pem")]
    public async Task Receive_FilesThatDoNotFit_IsWrongUsage(string says, params string[] arguments)
    {
        var files = new Certificates(_programs.Folder);
        var given = arguments.Select(a => a.StartsWith("--", StringComparison.Ordinal) ? a : files.PathOf(a));

        await RefusedAsync(2, says, _programs.Start("cmvc-receive", ["--listen", Anywhere, .. given]));
    }

    [Fact]
    public async Task Receive_CertificateWithoutHttps_IsWrongUsage() =>
        await RefusedAsync(2, "--listen https:", _programs.Start("cmvc-receive", "--listen", "http://127.0.0.1:0", "--certificate", "own.pem"));

    [Theory]
    [InlineData("https", "sha256:abc", "is no fingerprint")]
    [InlineData("https", "/no/such/file", "there is no such file")]
    [InlineData("https", "/proc/version", "no certificate can be read")]
    [InlineData("http", "sha256:0000000000000000000000000000000000000000000000000000000000000000", "--to https:")]
    public async Task Send_TrustThatCannotBe_IsWrongUsage(string scheme, string trust, string says) =>
        await RefusedAsync(2, says, Send($"{scheme}://127.0.0.1:9", "--trust", trust));

    public void Dispose() => _programs.Dispose();

    private static string[] Arguments(string url) => ["--source", "synthetic:street", "--to", url, "--max-rate", "30kbps", "--for", "4s"];

    private static async Task<string> FingerprintAsync(Running receiver) => (await receiver.ErrorLineAsync("--trust sha256:")).Split("--trust ")[1];

    private static async Task RefusedAsync(int exit, string says, Running program)
    {
        Assert.Equal(exit, await program.ExitAsync());
        Assert.Contains(says, program.Errors);
        Assert.DoesNotContain("   at ", program.Errors);
    }

    private Running Send(string url, params string[] more) => _programs.Start("cmvc-send", [.. Arguments(url), .. more]);
}
