using System.Net.Sockets;
using CmvcStream.Core.Control;

namespace CmvcStream.Throttle;

/// <summary>One relayed connection: its handshake over the link, both its flows, and its end.</summary>
internal sealed class RelayConnection(Socket client, HostPort target, LinkDriver up, LinkDriver down, RelayClock clock)
{
    private readonly LinkStream<Segment> _up = up.OpenStream(), _down = down.OpenStream();

    /// <summary>Runs until the connection has ended in both directions, or was reset, or is cancelled.</summary>
    /// <exception cref="SocketException">The target cannot be reached; the client has been reset.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; both ends have been reset.</exception>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var clean = false;
        Socket? server = null;
        try
        {
            RelaySocket.Tune(client);
            await up.TransferAsync(_up, LinkTcp.Syn, cancellationToken);
            server = await ConnectAsync(cancellationToken);
            await down.TransferAsync(_down, LinkTcp.Syn, cancellationToken);
            clean = await RelayAsync(server, cancellationToken);
        }
        finally
        {
            up.Close(_up);
            down.Close(_down);
            RelaySocket.Close(client, abort: !clean);
            if (server is not null)
                RelaySocket.Close(server, abort: !clean);
        }
    }

    private async Task<Socket> ConnectAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await RelaySocket.ConnectAsync(target, cancellationToken);
        }
        catch (SocketException)
        {
            await down.TransferAsync(_down, LinkTcp.Header, cancellationToken); // the reset that says so
            throw;
        }
    }

    /// <summary>False when the connection was reset.</summary>
    private async Task<bool> RelayAsync(Socket server, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var (there, back) = Flow.Pair(client, server, (up, _up), (down, _down), clock);
        using (there)
        using (back)
        {
            var acknowledged = up.TransferAsync(_up, LinkTcp.Header, stop.Token); // ends the handshake, ahead of the client's data
            var reads = Task.WhenAll(there.ReadAsync(stop.Token), ReadBackAsync());
            Task upReset = there.WriteAsync(stop.Token), downReset = back.WriteAsync(stop.Token);
            var finished = Task.WhenAll(there.Finished, back.Finished);
            try
            {
                return await Task.WhenAny(finished, upReset, downReset) == finished;
            }
            finally
            {
                await stop.CancelAsync();
                await Task.WhenAll(reads, upReset, downReset).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }

            // The server may speak only when it has the client's acknowledgement.
            async Task ReadBackAsync()
            {
                await acknowledged;
                await back.ReadAsync(stop.Token);
            }
        }
    }
}
