using System.Security.Cryptography;
using CmvcStream.Core.Media;

namespace CmvcStream.Receiver.Present;

/// <summary>
/// SHA-256 over the pixels (Y, U, V without padding) of all presented frames, printed at the end as one line:
/// <c>sha256 HEX frames N</c>. Two runs that show the same pictures print the same line.
/// </summary>
public sealed class HashSink : QueuedSink
{
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly TextWriter _output;
    private byte[] _buffer = [];
    private long _frames;

    /// <param name="output">Where the line is printed.</param>
    /// <param name="report">Takes a message for the user.</param>
    public HashSink(TextWriter output, Action<string> report) : base("hash:", report) => _output = output;

    private protected override ValueTask WriteAsync(RegeneratedFrame frame, CancellationToken cancellationToken)
    {
        var length = I420.Length(frame.Frame.Size);
        if (_buffer.Length != length)
            _buffer = new byte[length];
        I420.Copy(frame.Frame, _buffer);
        _hash.AppendData(_buffer);
        _frames++;
        return ValueTask.CompletedTask;
    }

    private protected override async ValueTask FinishAsync(CancellationToken cancellationToken) =>
        await _output.WriteLineAsync($"sha256 {Convert.ToHexStringLower(_hash.GetHashAndReset())} frames {_frames}");

    private protected override ValueTask CloseAsync()
    {
        _hash.Dispose();
        return ValueTask.CompletedTask;
    }
}
