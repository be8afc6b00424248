using System.Net;
using System.Net.Sockets;
using CmvcStream.Core.Control;
using CmvcStream.Protos;
using Google.Protobuf;
using Xunit;

namespace CmvcStream.Transport.Tests;

public class WireMeterTests
{
    [Theory]
    [InlineData(10)]
    [InlineData(400)]
    [InlineData(1200)]
    public async Task Wire_PacedMessages_CostsWhatTheModelSays(int payload)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "the kernel's counters are read on Linux only");
        await using var pair = await Pair.StartAsync();
        var (sender, receiver) = await pair.MeetAsync();
        using var reading = CancellationTokenSource.CreateLinkedTokenSource(pair.Patience);
        var read = receiver.ReceiveAsync(reading.Token).CountAsync(reading.Token).AsTask();
        await Task.Delay(300);
        var before = sender.Wire;
        var modelled = 0;

        for (var n = 0; n < 20; n++)
        {
            var message = new SenderMessage { Sequence = 300, Keyframe = { new Keyframe { Data = ByteString.CopyFrom(new byte[payload]) } } };
            modelled += WireOverhead.GrpcClear.WireBytes(message.CalculateSize());
            await sender.SendAsync(message, pair.Patience);
            await Task.Delay(20);
        }

        var after = sender.Wire;
        Assert.True(after.Measured);
        Assert.Equal(20, after.TxPackets - before.TxPackets, 2.0);
        Assert.InRange((after.TxBytes - before.TxBytes) / (double)modelled, 0.97, 1.12);
        await reading.CancelAsync();
        await read.ContinueWith(_ => { }, TaskScheduler.Default);
    }

    [Fact]
    public async Task Wire_BothEnds_CountTheSameBytes()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "the kernel's counters are read on Linux only");
        await using var pair = await Pair.StartAsync();
        var (sender, receiver) = await pair.MeetAsync();
        for (var n = 2u; n < 12; n++)
            await sender.SendAsync(new() { Sequence = n, Keyframe = { new Keyframe { Data = ByteString.CopyFrom(new byte[300]) } } }, pair.Patience);
        await Task.Delay(300);

        // Acknowledgements and the handshake are seen from one side only.
        Assert.InRange(sender.Wire.TxBytes / (double)receiver.Wire.RxBytes, 0.9, 1.1);
    }

    [Fact]
    public async Task Wire_AfterTheSessionWasClosed_KeepsTheLastFigures()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "the kernel's counters are read on Linux only");
        await using var pair = await Pair.StartAsync();
        var (sender, _) = await pair.MeetAsync();
        var before = sender.Wire;

        await sender.DisposeAsync();

        Assert.True(sender.Wire.TxBytes >= before.TxBytes && before.TxBytes > 100);
    }

    [Fact]
    public async Task Wire_ReceiverNotAskedUntilTheCallWasOver_HasCountedIt()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "the kernel's counters are read on Linux only");
        await using var pair = await Pair.StartAsync();
        var (sender, receiver) = await pair.MeetAsync();

        pair.EndSession();
        Assert.Empty(await sender.ReceiveAsync(pair.Patience).ToListAsync(pair.Patience));
        await sender.DisposeAsync();
        await pair.Listener.DisposeAsync();

        Assert.True(receiver.Wire is { Measured: true, RxBytes: > 100, TxBytes: > 100 }, receiver.Wire.ToString());
    }

    [Fact]
    public async Task Read_WhileTheSocketIsClosed_GivesTheLastFigures()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "the kernel's counters are read on Linux only");
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        for (var round = 0; round < 200; round++)
        {
            // Both families in one, as HttpClient's sockets are: whether it speaks IPv4 is asked of the socket as well.
            var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
            await socket.ConnectAsync(listener.LocalEndPoint!);
            using var peer = await listener.AcceptAsync();
            var reading = Task.Run(() =>
            {
                // A meter of its own each time, which has asked nothing yet.
                while (new TcpWireMeter(socket).Read().Measured)
                {
                }
            });
            await Task.Delay(round % 3);

            socket.Dispose();

            await reading.WaitAsync(TimeSpan.FromSeconds(20));
        }
    }
}
