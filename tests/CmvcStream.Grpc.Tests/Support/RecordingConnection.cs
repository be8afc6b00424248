using System.Net.Sockets;

namespace CmvcStream.Grpc.Tests.Support;

/// <summary>A client's connection that notes each write and read, and can go deaf.</summary>
internal sealed class RecordingConnection(Socket socket) : Stream
{
    private readonly NetworkStream _inner = new(socket, ownsSocket: true);
    private volatile bool _deaf;

    public List<byte[]> Writes { get; } = [];

    public List<byte[]> Reads { get; } = [];

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>A handler whose connections are recorded in the list, each made after the delay.</summary>
    public static SocketsHttpHandler CreateHandler(List<RecordingConnection> connections, TimeSpan delay = default) => new()
    {
        ConnectCallback = async (context, cancellationToken) =>
        {
            await Task.Delay(delay, cancellationToken);
            var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            await socket.ConnectAsync(context.DnsEndPoint, cancellationToken);
            var connection = new RecordingConnection(socket);
            connections.Add(connection);
            return connection;
        },
    };

    /// <summary>From now on nothing is heard from the other end, which is not told.</summary>
    public void GoDeaf() => _deaf = true;

    /// <summary>Closes without a word of HTTP/2.</summary>
    public void Cut() => _inner.Close();

    public void Forget()
    {
        lock (Writes)
            Writes.Clear();
        lock (Reads)
            Reads.Clear();
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        lock (Writes)
            Writes.Add(buffer.ToArray());
        await _inner.WriteAsync(buffer, cancellationToken);
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var read = await _inner.ReadAsync(buffer, cancellationToken);
        if (_deaf)
            await Task.Delay(Timeout.Infinite, cancellationToken);
        if (read > 0)
        {
            lock (Reads)
                Reads.Add(buffer[..read].ToArray());
        }

        return read;
    }

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _inner.Dispose();
        base.Dispose(disposing);
    }
}
