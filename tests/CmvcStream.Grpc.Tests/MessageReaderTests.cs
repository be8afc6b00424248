using System.Buffers;
using System.IO.Compression;
using System.IO.Pipelines;
using Grpc.Core;
using Grpc.Core.Internal;
using Grpc.Net.Compression;
using Xunit;

namespace CmvcStream.Grpc.Tests;

public sealed class MessageReaderTests
{
    private const int MaxSize = 1000;
    private static readonly GzipCompressionProvider s_gzip = new(CompressionLevel.Fastest);

    [Fact]
    public async Task ReadAsync_MessagesInAnyPieces_AreTheSame()
    {
        var random = new Random(30);
        for (var round = 0; round < 200; round++)
        {
            var messages = Enumerable.Range(0, random.Next(1, 8)).Select(_ => Bytes(random, random.Next(0, MaxSize - 99))).ToArray();
            var zip = random.Next(2) == 0;
            using var framer = new MessageFramer(MaxSize, zip ? s_gzip : null);
            byte[] stream = [.. messages.SelectMany(message => framer.Frame(message, Serialize).ToArray())];

            var (read, failure) = await ReadAllAsync(stream, random, "gzip", s_gzip);

            Assert.Null(failure);
            Assert.Equal(messages, read);
        }
    }

    [Fact]
    public async Task ReadAsync_RandomBytes_EndOrFailWithStatus()
    {
        var random = new Random(31);
        for (var round = 0; round < 3000; round++)
        {
            var stream = Bytes(random, random.Next(0, 60));
            // Small first bytes, so that many streams get past the prefix.
            for (var i = 0; i < stream.Length; i++)
                if (random.Next(3) > 0)
                    stream[i] = (byte)random.Next(3);

            var (_, failure) = await ReadAllAsync(stream, random, "gzip", s_gzip);

            Assert.Contains(failure ?? StatusCode.OK, (StatusCode[])[StatusCode.OK, StatusCode.Internal, StatusCode.ResourceExhausted]);
        }
    }

    [Fact]
    public async Task ReadAsync_OneByteChanged_NeverMoreThanWasSent()
    {
        var random = new Random(32);
        for (var round = 0; round < 1000; round++)
        {
            using var framer = new MessageFramer(MaxSize, random.Next(2) == 0 ? s_gzip : null);
            byte[] stream = [.. Enumerable.Range(0, 3).SelectMany(_ => framer.Frame(Bytes(random, 50), Serialize).ToArray())];
            stream[random.Next(stream.Length)] = (byte)random.Next(256);

            var (read, failure) = await ReadAllAsync(stream, random, "gzip", s_gzip);

            Assert.True(read.Count == 3 || failure is not null || read.Sum(message => message.Length + MessageFramer.PrefixSize) == stream.Length);
            Assert.All(read, message => Assert.True(message.Length <= MaxSize));
        }
    }

    [Fact]
    public async Task ReadAsync_EveryPrefixOfAStream_IsTruncatedOrShorter()
    {
        using var framer = new MessageFramer(MaxSize, null);
        byte[] stream = [.. framer.Frame("first"u8.ToArray(), Serialize).ToArray(), .. framer.Frame("second"u8.ToArray(), Serialize).ToArray()];
        int[] ends = [0, MessageFramer.PrefixSize + 5, stream.Length];
        for (var length = 0; length <= stream.Length; length++)
        {
            var (read, failure) = await ReadAllAsync(stream[..length], new Random(length), null, null);

            Assert.Equal(ends.Contains(length) ? null : StatusCode.Internal, failure);
            Assert.Equal(ends.Count(end => end > 0 && end <= length), read.Count);
        }
    }

    [Fact]
    public async Task ReadAsync_WholeMessageInThePipe_IsNotCopied()
    {
        var frame = new byte[] { 0, 0, 0, 0, 3, 1, 2, 3 };
        var pipe = PipeReader.Create(new ReadOnlySequence<byte>(frame));
        var reader = new MessageReader(pipe, MaxSize, null, null);

        var (found, same) = await reader.ReadAsync(
            context =>
            {
                Assert.True(System.Runtime.InteropServices.MemoryMarshal.TryGetArray(context.PayloadAsReadOnlySequence().First, out var segment));
                return ReferenceEquals(segment.Array, frame) && segment.Offset == MessageFramer.PrefixSize && context.PayloadLength == 3;
            },
            CancellationToken.None);

        Assert.True(found && same);
    }

    [Fact]
    public void Frame_MessageOverTheLimit_ResourceExhausted()
    {
        using var framer = new MessageFramer(10, null);

        var failure = Assert.Throws<RpcException>(() => framer.Frame(new byte[11], Serialize));

        Assert.Equal(StatusCode.ResourceExhausted, failure.StatusCode);
        Assert.Equal(15, framer.Frame(new byte[10], Serialize).Length);
    }

    [Fact]
    public void Frame_SerializerDoesNotComplete_Internal()
    {
        using var framer = new MessageFramer(10, null);

        Assert.Equal(StatusCode.Internal, Assert.Throws<RpcException>(() => framer.Frame(1, (_, context) => context.GetBufferWriter())).StatusCode);
    }

    private static byte[] Bytes(Random random, int length)
    {
        var bytes = new byte[length];
        random.NextBytes(bytes);
        return bytes;
    }

    private static void Serialize(byte[] message, SerializationContext context)
    {
        context.SetPayloadLength(message.Length);
        context.GetBufferWriter().Write(message);
        context.Complete();
    }

    private static async Task<(List<byte[]> Messages, StatusCode? Failure)> ReadAllAsync(
        byte[] stream, Random random, string? encoding, ICompressionProvider? decompression)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: 0, minimumSegmentSize: 16, useSynchronizationContext: false));
        var feed = Task.Run(async () =>
        {
            for (var at = 0; at < stream.Length;)
            {
                var length = Math.Min(random.Next(1, 40), stream.Length - at);
                await pipe.Writer.WriteAsync(stream.AsMemory(at, length));
                at += length;
            }

            await pipe.Writer.CompleteAsync();
        });

        var reader = new MessageReader(pipe.Reader, MaxSize, encoding, decompression);
        var messages = new List<byte[]>();
        StatusCode? failure = null;
        try
        {
            while (await reader.ReadAsync(context => context.PayloadAsNewBuffer(), patience.Token) is (true, { } message))
                messages.Add(message);
        }
        catch (RpcException e)
        {
            failure = e.StatusCode;
        }

        await feed;
        return (messages, failure);
    }
}
