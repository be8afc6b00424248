using CmvcStream.Codecs.Av1;
using CmvcStream.CommandLine;
using CmvcStream.Core.Codec;
using CmvcStream.Receiver.Networks;
using CmvcStream.Receiver.Present;
using CmvcStream.Receiver.Viewer;
using CmvcStream.Transport;
using CmvcStream.Transport.Grpc;

namespace CmvcStream.Receiver;

/// <summary>The receiver as a program: listens, shows one session after another, and keeps running whatever a sender does.</summary>
public static class ReceiverApp
{
    /// <summary>Runs until it is stopped (or, with --once, until the first sender's end); the result is the exit code.</summary>
    public static async Task<int> RunAsync(ReceiveOptions options, TextWriter output, TextWriter error, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(options);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        if (options.For is { } limit)
            stop.CancelAfter(TimeSpan.FromMicroseconds(limit.Microseconds));
        var state = new ReceiverState(options, TimeProvider.System);
        void Report(string message)
        {
            error.WriteLine($"receive: {message}");
            error.Flush();
        }

        var exit = "failed";
        ViewerServer? viewer = null;
        using var statistics = new StatisticsFile(options.StatsFile, state.Statistics, Report);
        try
        {
            // What cannot work is found out before a sender comes, not after.
            using (new AomKeyframeDecoder(new(16, 16))) { }
            if (options.View is { } view)
                viewer = await ViewerServer.StartAsync(ViewerOptions.Parse(view, options.Token), state, new JpegPictureEncoder(), TimeProvider.System, stop.Token);
            using var certificate = Certificate(options);
            using var networks = new RegenerationNetworks(options.Networks, Report);
            await using var sessions = new SessionHost(options, state, viewer, networks, output, Report);
            await using var listener = await new GrpcReceiverTransport().ListenAsync(options.Listen, new(options.Token) { Certificate = certificate }, sessions.ServeAsync, stop.Token);
            state.Listening(listener.Url);
            output.WriteLine($"ready listen={listener.Url}" + (viewer is null ? "" : $" view={viewer.Url}"));
            output.Flush();
            if (certificate is not null && options.Certificate is null)
                Report($"made a certificate for this run: start senders with --trust {CertificateFingerprint.Of(certificate.Certificate)}");
            statistics.Start();
            await (options.Once ? sessions.First.WaitAsync(stop.Token) : Task.Delay(Timeout.Infinite, stop.Token));
            exit = "done";
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            exit = cancellationToken.IsCancellationRequested ? "stopped" : "done";
        }
        catch (Exception e) when (e is FormatException)
        {
            Report(e.Message);
            return 2;
        }
        catch (Exception e) when (e is TransportException or SinkException or CodecException or IOException)
        {
            Report(e.Message);
        }
        finally
        {
            await stop.CancelAsync();
            if (viewer is not null)
            {
                await viewer.Sink.DisposeAsync();
                await viewer.DisposeAsync();
            }

            await statistics.CompleteAsync(exit);
        }

        return exit == "failed" ? 1 : 0;
    }

    private static ServerCertificate? Certificate(ReceiveOptions options)
    {
        if (options.Key is not null && options.Certificate is null)
            throw new FormatException("--key goes with --certificate");
        if (options.Listen.Scheme != Uri.UriSchemeHttps)
            return options.Certificate is null ? null : throw new FormatException("--certificate goes with --listen https://HOST:PORT");
        return options.Certificate is { } file ? ServerCertificate.Load(file, options.Key) : ServerCertificate.SelfSigned();
    }
}
