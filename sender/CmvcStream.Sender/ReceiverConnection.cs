using CmvcStream.Protos;
using CmvcStream.Transport;

namespace CmvcStream.Sender;

using Session = ISession<SenderMessage, ReceiverMessage>;

/// <summary>Opens a session with the receiver.</summary>
internal delegate Task<Session> Connect(CancellationToken cancellationToken);

/// <summary>
/// Keeps one session with the receiver, whatever the link does. When it breaks, another is opened. When nothing comes back (an outage, another
/// address, a receiver that vanished), a fresh connection races the silent one: TCP alone would try that again after up to two minutes.
/// Whichever answers first is the session from then on. A contender says hello only; the stream moves to it when it was welcomed.
/// </summary>
/// <param name="connect">Opens a session.</param>
/// <param name="hello">Says who we are, on each.</param>
/// <param name="silence">How long nothing was heard beyond what the link explains.</param>
/// <param name="roundTrip">Of the link.</param>
/// <param name="opening">How long the link takes to carry what opening a session takes: on a slow one that is the measure of all patience.</param>
/// <param name="report">Takes a message for the user.</param>
internal sealed class ReceiverConnection(Connect connect, Func<Hello> hello, Func<TimeSpan> silence, Func<TimeSpan> roundTrip, Func<TimeSpan> opening, Action<string> report)
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(250);

    /// <summary>Between attempts at a receiver that refuses connections.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    /// <summary>For so long nothing may be heard before a fresh connection is tried.</summary>
    private TimeSpan Patience => AtLeast(3.5, 3 * opening());

    /// <summary>Called with each session that becomes the current one, and the welcome if it was said on the way; null: no session now.</summary>
    public required Action<Session?, Welcome?> Changed { get; init; }

    /// <summary>Called with each message of the current session.</summary>
    public required Action<ReceiverMessage> Heard { get; init; }

    /// <summary>Fresh sessions so far.</summary>
    public int Reconnections { get; private set; }

    /// <summary>Runs until the receiver has confirmed the end (<paramref name="ended"/>), or the first session was never welcomed.</summary>
    /// <param name="first">The first session.</param>
    /// <param name="ended">Whether all has been said, so that the receiver's end of the session is a confirmation.</param>
    /// <param name="stop">Gives up.</param>
    /// <exception cref="TransportException">The receiver refuses us, or never said a word.</exception>
    public async Task RunAsync(Session first, Func<bool> ended, CancellationToken stop)
    {
        var welcomed = false;
        var session = first;
        Welcome? welcome = null;
        while (true)
        {
            Changed(session, welcome);
            using var over = CancellationTokenSource.CreateLinkedTokenSource(stop);
            var listening = ListenAsync(session, over.Token);
            var (contender, said) = await WatchAsync(listening, () => welcomed, over.Token);
            if (contender is null)
            {
                var why = await WhyAsync(listening);
                stop.ThrowIfCancellationRequested();
                if (ended() && why is null)
                    return;
                if (why is { Error: not (TransportError.Broken or TransportError.Unreachable or TransportError.Busy) } || (!welcomed && why is not null))
                    throw why;
                Changed(null, null);
                report($"{why?.Message ?? "the receiver ended the session"}; it is tried again");
                await session.DisposeAsync();
                var lost = System.Diagnostics.Stopwatch.StartNew();
                (contender, said) = await ContendAsync(stop);
                report($"the receiver is back after {lost.Elapsed.TotalSeconds:0.0} s");
            }
            else
            {
                await over.CancelAsync();
                await session.DisposeAsync();
                await WhyAsync(listening);
                report("a fresh connection took the place of the silent one");
            }

            Reconnections++;
            (session, welcome) = (contender, said);
        }

        async Task ListenAsync(Session current, CancellationToken over)
        {
            await foreach (var message in current.ReceiveAsync(over))
            {
                welcomed |= message.Welcome is not null;
                Heard(message);
            }
        }
    }

    private static async Task<TransportException?> WhyAsync(Task listening)
    {
        try
        {
            await listening;
            return null;
        }
        catch (TransportException e)
        {
            return e;
        }
        catch (OperationCanceledException)
        {
            return null;
        }
    }

    /// <summary>Waits until the session ends by itself, or a fresh one has been welcomed while it was silent.</summary>
    private async Task<(Session? Contender, Welcome? Welcome)> WatchAsync(Task listening, Func<bool> welcomed, CancellationToken stop)
    {
        while (!listening.IsCompleted)
        {
            await Task.WhenAny(listening, Task.Delay(Look, stop));
            if (stop.IsCancellationRequested || listening.IsCompleted || !welcomed() || silence() < Patience)
                continue;
            report($"nothing was heard from the receiver for {silence().TotalSeconds:0} s: a fresh connection is tried beside the old one");
            using var race = CancellationTokenSource.CreateLinkedTokenSource(stop);
            var contending = ContendAsync(race.Token);
            while (!contending.IsCompleted && !listening.IsCompleted && silence() > TimeSpan.Zero)
                await Task.WhenAny(contending, listening, Task.Delay(Look, CancellationToken.None));
            if (!contending.IsCompletedSuccessfully)
                await race.CancelAsync();
            try
            {
                return await contending;
            }
            catch (OperationCanceledException)
            {
                // The old connection has spoken, or is over.
            }
        }

        return default;
    }

    /// <summary>Tries until a fresh session was welcomed; a new attempt joins the last one when that may be stuck in a retransmission.</summary>
    private async Task<(Session, Welcome)> ContendAsync(CancellationToken stop)
    {
        using var others = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var attempts = new List<Task<(Session, Welcome)?>>();
        try
        {
            while (true)
            {
                // Two at most: each takes some 600 bytes when the link is back.
                if (attempts.Count < 2)
                    attempts.Add(AttemptAsync(others.Token));
                var patience = AtLeast(2.5, 2 * opening()) + 2 * roundTrip();
                await Task.WhenAny([.. attempts, Task.Delay(patience, stop)]);
                stop.ThrowIfCancellationRequested();
                foreach (var attempt in attempts.Where(a => a.IsCompleted).ToList())
                {
                    attempts.Remove(attempt);
                    if (await attempt is { } won)
                        return won;
                    await Task.Delay(Pause, stop);
                }
            }
        }
        finally
        {
            await others.CancelAsync();
            foreach (var attempt in attempts)
            {
                if (await attempt is { } late)
                    await late.Item1.DisposeAsync();
            }
        }
    }

    /// <summary>One connection, a hello, and its welcome; null: not this time.</summary>
    /// <exception cref="TransportException">The receiver refuses us for good.</exception>
    private async Task<(Session, Welcome)?> AttemptAsync(CancellationToken stop)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(stop);
        patience.CancelAfter(AtLeast(6, 4 * opening()) + 4 * roundTrip());
        Session? session = null;
        try
        {
            session = await connect(patience.Token);
            await session.SendAsync(new() { Hello = hello() }, patience.Token);
            var kept = session;
            // The enumerator goes on in ListenAsync: one message is taken here.
            if (await FirstAsync(kept, patience.Token) is { Welcome: { } welcome })
            {
                session = null;
                return (kept, welcome);
            }
        }
        catch (OperationCanceledException) { }
        catch (TransportException e) when (e.Error is TransportError.Broken or TransportError.Unreachable or TransportError.Busy) { }
        finally
        {
            if (session is not null)
                await session.DisposeAsync();
        }

        return null;
    }

    private static TimeSpan AtLeast(double seconds, TimeSpan time) => time > TimeSpan.FromSeconds(seconds) ? time : TimeSpan.FromSeconds(seconds);

    private static async Task<ReceiverMessage?> FirstAsync(Session session, CancellationToken stop)
    {
        await foreach (var message in session.ReceiveAsync(stop))
            return message;
        return null;
    }
}
