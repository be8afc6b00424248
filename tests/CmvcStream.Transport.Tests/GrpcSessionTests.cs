using CmvcStream.Protos;
using Google.Protobuf;
using Xunit;

namespace CmvcStream.Transport.Tests;

public class GrpcSessionTests
{
    [Fact]
    public async Task Send_FromTheSender_ArrivesWholeAndInOrder()
    {
        await using var pair = await Pair.StartAsync();
        var (sender, receiver) = await pair.MeetAsync();

        for (var n = 2u; n <= 20; n++)
            await sender.SendAsync(new() { Sequence = n, Keyframe = { new Keyframe { Index = n, Data = ByteString.CopyFrom(new byte[n * 100]) } } }, pair.Patience);
        await sender.CompleteAsync(pair.Patience);

        var received = new List<SenderMessage>();
        await foreach (var message in receiver.ReceiveAsync(pair.Patience))
            received.Add(message);
        Assert.Equal(Enumerable.Range(1, 20), received.Select(m => (int)m.Sequence));
        Assert.All(received.Skip(1), m => Assert.Equal(m.Sequence * 100, (uint)m.Keyframe[0].Data.Length));
    }

    [Fact]
    public async Task Send_FromTheReceiver_ArrivesWhileTheSenderStillSends()
    {
        await using var pair = await Pair.StartAsync();
        var (sender, receiver) = await pair.MeetAsync();
        await using var answers = sender.ReceiveAsync(pair.Patience).GetAsyncEnumerator(pair.Patience);

        await receiver.SendAsync(new() { Welcome = new() { Version = ProtocolVersions.Current } }, pair.Patience);
        Assert.True(await answers.MoveNextAsync());
        Assert.Equal(ProtocolVersions.Current, answers.Current.Welcome.Version);
        await sender.SendAsync(Pair.Message(2), pair.Patience);
        await receiver.SendAsync(new() { KeyframeRequest = new() { Reason = "why not" } }, pair.Patience);

        Assert.True(await answers.MoveNextAsync());
        Assert.Equal("why not", answers.Current.KeyframeRequest.Reason);
    }

    [Fact]
    public async Task Receive_ReceiverEndsTheSession_SenderSeesTheEnd()
    {
        await using var pair = await Pair.StartAsync();
        var (sender, _) = await pair.MeetAsync();

        pair.EndSession();

        Assert.Empty(await sender.ReceiveAsync(pair.Patience).ToListAsync(pair.Patience));
    }

    [Fact]
    public async Task Receive_FieldsOfANewerVersion_AreTolerated()
    {
        await using var pair = await Pair.StartAsync();
        var (sender, receiver) = await pair.MeetAsync();
        // Field 99, a string that this version does not know, beside a sequence number that it does.
        var newer = SenderMessage.Parser.ParseFrom([0x08, 0x07, 0x9A, 0x06, 0x02, (byte)'h', (byte)'i']);

        await sender.SendAsync(newer, pair.Patience);

        await using var messages = receiver.ReceiveAsync(pair.Patience).GetAsyncEnumerator(pair.Patience);
        Assert.True(await messages.MoveNextAsync() && await messages.MoveNextAsync());
        Assert.Equal(7u, messages.Current.Sequence);
        Assert.Equal(newer, messages.Current);
    }

    [Fact]
    public async Task Connect_ServiceSaysBusy_IsRefusedWithTheReason()
    {
        await using var pair = await Pair.StartAsync(serve: (_, _) => throw new TransportException(TransportError.Busy, "a receiver serves one at a time"));

        var refusal = await RefusedAsync(pair, await pair.ConnectAsync());

        Assert.Equal(TransportError.Busy, refusal.Error);
        Assert.Contains("one at a time", refusal.Message);
    }

    [Fact]
    public async Task Connect_AfterTheLastSenderLeft_IsServed()
    {
        await using var pair = await Pair.StartAsync(serve: async (session, stop) => await session.ReceiveAsync(stop).ToListAsync(stop));
        var (first, _) = await pair.MeetAsync();
        await first.CompleteAsync(pair.Patience);
        Assert.Empty(await first.ReceiveAsync(pair.Patience).ToListAsync(pair.Patience));

        var (_, second) = await pair.MeetAsync();

        Assert.NotNull(second);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("guessed")]
    [InlineData("SECRET")]
    public async Task Connect_WithoutTheToken_IsRefusedWithTheReason(string? token)
    {
        await using var pair = await Pair.StartAsync(token: "secret");

        var refusal = await RefusedAsync(pair, await pair.ConnectAsync(token));

        Assert.Equal(TransportError.Refused, refusal.Error);
        Assert.Contains("token", refusal.Message);
    }

    [Fact]
    public async Task Connect_WithTheToken_IsServed()
    {
        await using var pair = await Pair.StartAsync(token: "secret", serve: (session, stop) => session.SendAsync(new() { Welcome = new() }, stop));
        var sender = await pair.ConnectAsync("secret");

        await sender.SendAsync(Pair.Message(1), pair.Patience);

        Assert.Single(await sender.ReceiveAsync(pair.Patience).ToListAsync(pair.Patience));
    }

    [Fact]
    public async Task Serve_RefusesTheProtocol_SenderHearsWhy()
    {
        await using var pair = await Pair.StartAsync(serve: (_, _) => throw new TransportException(TransportError.Protocol, "version 9.0 is spoken here"));

        var refusal = await RefusedAsync(pair, await pair.ConnectAsync());

        Assert.Equal(TransportError.Protocol, refusal.Error);
        Assert.Contains("version 9.0 is spoken here", refusal.Message);
    }

    private static async Task<TransportException> RefusedAsync(Pair pair, ISession<SenderMessage, ReceiverMessage> sender)
    {
        await sender.SendAsync(Pair.Message(1), pair.Patience).ContinueWith(_ => { }, TaskScheduler.Default);
        return await Assert.ThrowsAsync<TransportException>(async () => await sender.ReceiveAsync(pair.Patience).ToListAsync(pair.Patience));
    }
}
