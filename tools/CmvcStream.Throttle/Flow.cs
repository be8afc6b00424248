using System.Net.Sockets;
using System.Threading.Channels;
using CmvcStream.Core.Control;

namespace CmvcStream.Throttle;

/// <summary>One direction of one connection: reads a socket, sends through the link, writes what arrives to the other socket.</summary>
internal sealed class Flow : IDisposable
{
    private readonly Socket _from, _to;
    private readonly LinkDriver _link, _linkBack;
    private readonly LinkStream<Segment> _stream;
    private readonly RelayClock _clock;
    private readonly FlightWindow _window;
    private readonly Channel<Item> _arrived = Channel.CreateUnbounded<Item>(new() { SingleReader = true }); // bounded by the window
    private readonly byte[] _buffer = new byte[LinkTcp.MaxPayload];
    private readonly LinkTcpAcks _acks = new();
    private readonly Timer _ackTimer;
    private readonly TaskCompletionSource _finished = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Flow? _back;
    private int _wanted, _resetSent;
    private bool _ended, _disposed;

    private Flow(Socket from, Socket to, (LinkDriver Link, LinkStream<Segment> Stream) via, LinkDriver linkBack, RelayClock clock)
    {
        (_from, _to, _linkBack, _clock) = (from, to, linkBack, clock);
        (_link, _stream) = via;
        _window = new(() => _link.Settings);
        _ackTimer = new(_ => OnAckTimer());
    }

    private enum Kind
    {
        Data,
        Fin,
        Reset,
    }

    public static (Flow Up, Flow Down) Pair(
        Socket client, Socket server, (LinkDriver Link, LinkStream<Segment> Stream) up, (LinkDriver Link, LinkStream<Segment> Stream) down, RelayClock clock)
    {
        var there = new Flow(client, server, up, down.Link, clock);
        var back = new Flow(server, client, down, up.Link, clock) { _back = there };
        there._back = back;
        return (there, back);
    }

    /// <summary>Reads until the end or a reset, which follow the data through the link.</summary>
    public async Task ReadAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (!_ended)
            {
                await _window.WaitAsync(cancellationToken);
                // Reading nothing waits for data without taking it: while the queue is full it stays in the kernel, whose window closes.
                await _from.ReceiveAsync(Memory<byte>.Empty, cancellationToken);
                await _link.SendAsync(_stream, Wanted, Take, cancellationToken);
            }
        }
        catch (SocketException)
        {
            await SendResetAsync(cancellationToken);
        }
    }

    /// <summary>Ends when the end has been passed on to the socket that is written to.</summary>
    public Task Finished => _finished.Task;

    /// <summary>Writes what arrives; ends at a reset, which may still come after this direction has finished.</summary>
    public async Task WriteAsync(CancellationToken cancellationToken)
    {
        var broken = false;
        await foreach (var item in _arrived.Reader.ReadAllAsync(cancellationToken))
        {
            if (item.Kind == Kind.Reset)
                return;
            try
            {
                for (var rest = item.Data; !broken && rest.Length > 0;)
                    rest = rest[await _to.SendAsync(rest, cancellationToken)..];
                if (item.Kind == Kind.Fin && !broken)
                {
                    _to.Shutdown(SocketShutdown.Send);
                    _finished.TrySetResult();
                }
            }
            catch (SocketException)
            {
                broken = true; // the receiver has gone: the sender hears of it over the link, and what comes until then is for nobody
                await _back!.SendResetAsync(cancellationToken);
            }

            _window.Release(item.WireBytes);
        }
    }

    public void Dispose()
    {
        lock (_acks)
        {
            _disposed = true;
            _ackTimer.Dispose();
        }
    }

    /// <summary>One segment: small writes that pile up before a full queue join, as they do in a sender's kernel.</summary>
    private int Wanted()
    {
        _wanted = Math.Clamp(_from.Available, 1, LinkTcp.MaxPayload);
        return LinkTcp.Header + _wanted;
    }

    private Segment? Take()
    {
        var read = _from.Receive(_buffer, 0, _wanted, SocketFlags.None, out var error);
        if (error == SocketError.WouldBlock)
            return null;
        if (error != SocketError.Success)
            throw new SocketException((int)error);
        _ended = read == 0;
        if (!_ended)
        {
            lock (_back!._acks)
                _back._acks.OnSent();
        }

        var item = new Item(_ended ? Kind.Fin : Kind.Data, _buffer.AsMemory(0, read).ToArray());
        _window.Take(item.WireBytes);
        return new(item.WireBytes, read, () => OnArrived(item));
    }

    private async Task SendResetAsync(CancellationToken cancellationToken)
    {
        if (Interlocked.Exchange(ref _resetSent, 1) == 0)
        {
            var reset = new Item(Kind.Reset, default);
            await _link.SendAsync(_stream, () => reset.WireBytes, () => new(reset.WireBytes, 0, () => OnArrived(reset)), cancellationToken);
        }
    }

    private void OnArrived(Item item)
    {
        _arrived.Writer.TryWrite(item);
        if (item.Kind == Kind.Reset)
            return; // a reset is not acknowledged
        bool now;
        lock (_acks)
        {
            if (_disposed)
                return;
            now = _acks.OnArrived(_clock.Now) || item.Kind == Kind.Fin;
            if (now)
                _acks.OnSent();
            else
                _ackTimer.Change(LinkTcpAcks.Delay.Microseconds / 1000 + 1, Timeout.Infinite);
        }

        if (now)
            SendAck();
    }

    private void OnAckTimer()
    {
        bool now;
        lock (_acks)
            now = !_disposed && _acks.OnTimer(_clock.Now);
        if (now)
            SendAck();
    }

    private void SendAck() => _linkBack.Offer(new(LinkTcp.Header, 0, () => { }));

    private readonly record struct Item(Kind Kind, ReadOnlyMemory<byte> Data)
    {
        public int WireBytes => LinkTcp.Header + Data.Length;
    }
}
