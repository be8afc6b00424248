using System.Text.Json;
using CmvcStream.Core.Control;
using Xunit;

namespace CmvcStream.Throttle.Tests;

/// <summary>Whatever is written as a link's figures, trace or change is taken or refused with a reason; nothing else happens.</summary>
public sealed class LinkTextFuzzTests
{
    private static readonly string[] _pieces =
    [
        "8", "kbps", "-", "1e9", "%", "2%", ",burst=", ",", "5", "@", "20s", "ms", "\n", " ", "#", "9999999999999999999", "NaN", "∞", "{", "}", "\"", ":",
        "rate", "\"outage\"", "\"loss\"", "true", "null", "[", "]", "0", ".", "\0",
    ];

    [Fact]
    public async Task Parse_Anything_IsTakenOrRefused()
    {
        await using var fixture = await RelayFixture.StartAsync(new());
        var random = new Random(1);
        for (var i = 0; i < 20_000; i++)
        {
            var text = string.Concat(Enumerable.Range(0, random.Next(1, 9)).Select(_ => _pieces[random.Next(_pieces.Length)]));
            Try(() => _ = LinkText.ParseShare(text));
            Try(() => _ = LinkText.ParseLoss(text));
            Try(() => _ = LinkOutage.Parse(text));
            Try(() => _ = LinkTrace.Parse(text.Split('\n'), random.NextDouble() * 2000));
            foreach (var json in new[] { text, $$"""{"outage": "{{text}}", "loss": "{{text}}"}""", $$"""{"rate": {{text}}}""" })
            {
                Try(() =>
                {
                    using var change = JsonDocument.Parse(json);
                    LinkChange.Apply(fixture.Relay, change.RootElement);
                });
            }
        }

        fixture.Relay.Link.Validate();
    }

    private static void Try(Action parse)
    {
        try
        {
            parse();
        }
        catch (Exception e) when (e is FormatException or ArgumentException or JsonException)
        {
            Assert.NotEmpty(e.Message);
        }
    }
}
