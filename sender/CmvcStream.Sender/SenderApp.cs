using CmvcStream.CommandLine;
using CmvcStream.Core.Codec;
using CmvcStream.Core.Media;
using CmvcStream.Sender.Capture;
using CmvcStream.Transport;
using CmvcStream.Transport.Grpc;

namespace CmvcStream.Sender;

/// <summary>The sender as a program: opens the source, connects, streams, and says at the end how it went.</summary>
public static class SenderApp
{
    /// <summary>How long everything that was said may take to be delivered at the end.</summary>
    private static readonly TimeSpan Farewell = TimeSpan.FromSeconds(30);

    public static async Task<int> RunAsync(SendOptions options, TextWriter error, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(options);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        if (options.For is { } limit)
            stop.CancelAfter(TimeSpan.FromMicroseconds(limit.Microseconds));
        var state = new SenderState(TimeProvider.System);
        using var statistics = new StatisticsFile(options.StatsFile, state.Statistics, message => Report(error, message));
        statistics.Start();
        var exit = "failed";
        try
        {
            if (options.Trust is not null && options.To.Scheme != Uri.UriSchemeHttps)
                throw new FormatException("--trust goes with --to https://HOST:PORT");
            await using var source = FrameSources.Create(options.Source, new CaptureOptions { Box = options.Size, Rate = options.Fps, Loop = options.Loop });
            await source.StartAsync(stop.Token);
            var transport = new GrpcSenderTransport();
            Connect connect = token => transport.ConnectAsync(options.To, new(options.Token) { Trust = options.Trust }, token);
            await using var session = await connect(stop.Token);
            using var sender = new SenderSession(options, source, connect, state, message => Report(error, message));
            await sender.RunAsync(session, Farewell, stop.Token);
            exit = cancellationToken.IsCancellationRequested ? "stopped" : "done";
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            exit = cancellationToken.IsCancellationRequested ? "stopped" : "done";
        }
        catch (FormatException e)
        {
            Report(error, e.Message);
            return 2;
        }
        catch (Exception e) when (e is SourceException or TransportException or CodecException or IOException)
        {
            Report(error, e.Message);
        }
        finally
        {
            await statistics.CompleteAsync(exit);
        }

        return exit == "failed" ? 1 : 0;
    }

    private static void Report(TextWriter error, string message)
    {
        error.WriteLine($"send: {message}");
        error.Flush();
    }
}
