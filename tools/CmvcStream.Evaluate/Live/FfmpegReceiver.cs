using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using CmvcStream.Core.Media;
using CmvcStream.Evaluate.Media;

namespace CmvcStream.Evaluate.Live;

/// <summary>An ffmpeg that receives a transport stream, and notes when each of its pictures comes out.</summary>
internal sealed class FfmpegReceiver : IAsyncDisposable
{
    private readonly ShowinfoLines _seen = new();
    private readonly List<double> _walls = [];
    private readonly ChildProcess _program;
    private readonly Task _reading;

    private FfmpegReceiver(bool udp, int port, PixelSize size, string raw)
    {
        _program = ChildProcess.Start("ffmpeg", Arguments(udp, port, size), _seen.Take);
        _reading = ReadAsync(ShownVideo.Bytes(size), raw);
    }

    /// <summary>Pictures that have come out.</summary>
    public int Count
    {
        get
        {
            lock (_walls)
                return _walls.Count;
        }
    }

    public bool HasEnded => _reading.IsCompleted;

    /// <summary>
    /// Shows each picture as soon as it is there: no probing beyond the stream's tables; no parser, which would wait for the next picture to know
    /// where this one ends; no threads, which the decoder and even the raw output would pay for with a picture's delay each. (Not -fflags nobuffer,
    /// which is often advised: it throws away what was read while probing, the only keyframe included.)
    /// </summary>
    public static string[] Arguments(bool udp, int port, PixelSize size) =>
        ["-hide_banner", "-nostats", "-fflags", "+noparse+nofillin", "-flags", "low_delay", "-threads", "1", "-probesize", "32", "-analyzeduration", "0", "-f", "mpegts",
            "-i", udp ? $"udp://127.0.0.1:{port}" : $"tcp://127.0.0.1:{port}?listen=1", "-copyts", "-fps_mode", "passthrough",
            "-vf", $"showinfo=checksum=0,scale={size.Width}:{size.Height}:flags=bicubic", "-pix_fmt", "yuv420p", "-threads", "1", "-f", "rawvideo", "-flush_packets", "1", "pipe:1"];

    /// <summary>Starts it and waits until it listens.</summary>
    /// <exception cref="EvaluateException">It does not.</exception>
    public static async Task<FfmpegReceiver> StartAsync(bool udp, int port, PixelSize size, string raw, TimeSpan patience, CancellationToken stop)
    {
        var receiver = new FfmpegReceiver(udp, port, size, raw);
        var end = UnixTime.Now + patience.TotalSeconds;
        while (!Listeners(udp).Any(e => e.Port == port))
        {
            if (receiver.HasEnded || UnixTime.Now > end)
            {
                await receiver.DisposeAsync();
                throw new EvaluateException($"ffmpeg does not listen on port {port}: {receiver.LastWords()}");
            }

            await Task.Delay(20, stop);
        }

        return receiver;
    }

    public static int FreePort(bool udp)
    {
        using var probe = new Socket(AddressFamily.InterNetwork, udp ? SocketType.Dgram : SocketType.Stream, udp ? ProtocolType.Udp : ProtocolType.Tcp);
        probe.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)probe.LocalEndPoint!).Port;
    }

    /// <summary>What was shown, against the Unix time of the source's beginning.</summary>
    public IReadOnlyList<LivePicture> Pictures(double began)
    {
        var times = _seen.Times;
        lock (_walls)
            return [.. _walls.Take(times.Length).Select((wall, n) => new LivePicture(times[n], wall - began))];
    }

    public string LastWords() => _program.LastWords();

    /// <summary>Ends it; all that it said and showed is known afterwards.</summary>
    public async Task EndAsync()
    {
        _program.Kill();
        await _program.WaitForExitAsync(CancellationToken.None);
        await _reading;
    }

    public async ValueTask DisposeAsync()
    {
        await EndAsync();
        await _program.DisposeAsync();
    }

    private static IPEndPoint[] Listeners(bool udp)
    {
        var all = IPGlobalProperties.GetIPGlobalProperties();
        return udp ? all.GetActiveUdpListeners() : all.GetActiveTcpListeners();
    }

    private async Task ReadAsync(int length, string raw)
    {
        await using var file = File.Create(raw);
        var picture = new byte[length];
        try
        {
            while (await _program.Output.ReadAtLeastAsync(picture, length, throwOnEndOfStream: false) == length)
            {
                var now = UnixTime.Now;
                file.Write(picture);
                lock (_walls)
                    _walls.Add(now);
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // It was ended in the middle of a picture.
        }
    }
}
