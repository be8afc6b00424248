using System.Text.Json;

namespace EndToEnd.Tests.Session;

/// <summary>What a sender's statistics say of its bytes on the wire.</summary>
internal static class SentBytes
{
    /// <summary>Making a connection, about: TCP's, HTTP/2's preface, settings and headers, the first message. No budget holds for these.</summary>
    private const int Opening = 800;

    /// <summary>Bits a second on the wire, without the making of the connection.</summary>
    public static async Task<double> RateAsync(string statistics)
    {
        using var json = JsonDocument.Parse(await File.ReadAllTextAsync(statistics));
        var (root, wire) = (json.RootElement, json.RootElement.GetProperty("wire"));
        Xunit.Assert.Equal("tcp_info", wire.GetProperty("from").GetString());
        var connected = root.GetProperty("seconds").GetDouble() - root.GetProperty("start_ms").GetProperty("connect").GetDouble() / 1000;
        return (wire.GetProperty("tx").GetProperty("bytes").GetInt64() - Opening) * 8 / connected;
    }
}
