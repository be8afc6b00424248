using System.Runtime.InteropServices;

namespace CmvcStream.Throttle;

/// <summary>One run of the tool: start, ready line, statistics every second, stop.</summary>
internal static class ThrottleRun
{
    /// <summary>Runs until stopped or until its time is up; the result is the exit code.</summary>
    public static async Task<int> RunAsync(
        ThrottleOptions options, TextWriter output, TextWriter error, CancellationToken cancellationToken)
    {
        var log = new RelayLog(error, TimeProvider.System);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        // Before the ready line: System.CommandLine's own handlers come after an action has begun, when a signal may have been sent.
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        try
        {
            await using var relay = await ThrottleRelay.StartAsync(options, log.Write, stop.Token);
            WriteStats(options, relay.Snapshot()); // a file that cannot be written should be known now
            await using var control = options.Control is { } at ? await ControlServer.StartAsync(at, relay, stop.Token) : null;
            if (options.For is { } time)
                stop.CancelAfter(TimeSpan.FromSeconds(time.Seconds));
            await output.WriteLineAsync($"ready listen={relay.ListenAt}{(control is null ? "" : $" control={control.Url}")}");
            await output.FlushAsync(CancellationToken.None);
            var terminal = new RelayTerminal(relay, log, ReferenceEquals(error, Console.Error) && !Console.IsErrorRedirected, stop.Cancel);
            var keys = terminal.ReadKeysAsync(stop.Token);
            var exit = await WatchAsync(relay, options, log, terminal, stop.Token);
            await stop.CancelAsync();
            await keys;
            log.EndStatus();
            WriteStats(options, relay.Snapshot() with { Exit = exit is null ? "done" : "failed" });
            return exit is null ? 0 : throw exit;
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return 0; // stopped before it had begun
        }
        catch (ThrottleException e)
        {
            log.Write(e.Message);
            return 1;
        }

        void Stop(PosixSignalContext signal)
        {
            signal.Cancel = true;
            try
            {
                _ = stop.CancelAsync();
            }
            catch (ObjectDisposedException)
            {
                // a second signal while the first one's stop comes to its end
            }
        }
    }

    /// <summary>Writes statistics every second until stopped; what ended the relay, if it ended by itself.</summary>
    private static async Task<ThrottleException?> WatchAsync(
        ThrottleRelay relay, ThrottleOptions options, RelayLog log, RelayTerminal terminal, CancellationToken stop)
    {
        using var second = new PeriodicTimer(TimeSpan.FromSeconds(1));
        while (!stop.IsCancellationRequested)
        {
            try
            {
                if (await Task.WhenAny(second.WaitForNextTickAsync(stop).AsTask(), relay.Completion) == relay.Completion)
                {
                    await relay.Completion;
                    return new("the relay ended by itself");
                }

                var stats = relay.Snapshot();
                terminal.Show(stats);
                WriteStats(options, stats);
            }
            catch (ThrottleException e)
            {
                log.Write(e.Message); // the next second may do better
            }
            catch (Exception e)
            {
                return new($"the relay cannot go on: {e.Message}", e);
            }
        }

        return null;
    }

    /// <summary>Replaces the file as a whole: who reads it sees the old or the new one.</summary>
    private static void WriteStats(ThrottleOptions options, ThrottleStats stats)
    {
        if (options.StatsFile is not { } file)
            return;
        try
        {
            var temporary = $"{file}.{Environment.ProcessId}.tmp";
            File.WriteAllText(temporary, stats.ToJson());
            File.Move(temporary, file, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            throw new ThrottleException($"cannot write the statistics to {file}: {e.Message}", e);
        }
    }
}
