using System.Diagnostics;
using CmvcStream.Core.Media;

namespace CmvcStream.Receiver.Present;

/// <summary>Every presented frame into an MP4 file (H.264), written by an ffmpeg child that is fed YUV4MPEG2 through a pipe.</summary>
public sealed class Mp4Sink : QueuedSink
{
    private const int ErrorLines = 8;
    private readonly Queue<string> _errors = [];
    private readonly string _path;
    private readonly FrameRate _rate;
    private readonly string _program;
    private Process? _ffmpeg;
    private Y4mWriter? _writer;

    /// <param name="path">File to write; replaced if it exists.</param>
    /// <param name="rate">Presentation frames a second.</param>
    /// <param name="report">Takes a message for the user.</param>
    /// <exception cref="SinkException">The path cannot be written, or there is no ffmpeg.</exception>
    public Mp4Sink(string path, FrameRate rate, Action<string> report) : base($"mp4:{path}", report)
    {
        _path = Path.GetFullPath(path.Length == 0 ? "." : path);
        _rate = rate;
        _program = Find("ffmpeg") ?? throw new SinkException($"{Name}: there is no ffmpeg on the PATH; install ffmpeg, or write y4m: instead");
        // Created here already, so that a path that cannot be written is known before the first picture.
        OutputFile.Create(path, Name).Dispose();
    }

    /// <summary>Process id of the ffmpeg child; null before the first frame.</summary>
    internal int? ChildId => _ffmpeg?.Id;

    private protected override async ValueTask WriteAsync(RegeneratedFrame frame, CancellationToken cancellationToken)
    {
        _ffmpeg ??= Start();
        _writer ??= new(_ffmpeg.StandardInput.BaseStream, _rate, Name);
        try
        {
            await _writer.WriteAsync(frame, cancellationToken);
        }
        catch (IOException)
        {
            // The pipe broke because ffmpeg ended: what it said is the reason.
            await _ffmpeg.WaitForExitAsync(cancellationToken);
            throw new SinkException(Failure());
        }
    }

    private protected override async ValueTask FinishAsync(CancellationToken cancellationToken)
    {
        if (_ffmpeg is null)
        {
            File.Delete(_path);
            return;
        }

        _ffmpeg.StandardInput.Close();
        await _ffmpeg.WaitForExitAsync(cancellationToken);
        if (_ffmpeg.ExitCode != 0)
            throw new SinkException(Failure());
    }

    private protected override async ValueTask CloseAsync()
    {
        if (_ffmpeg is null)
            return;
        try
        {
            // Without an input ffmpeg finishes the file by itself; it gets a moment to do so.
            _ffmpeg.StandardInput.Close();
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(5));
            await _ffmpeg.WaitForExitAsync(patience.Token);
        }
        catch (Exception e) when (e is OperationCanceledException or IOException)
        {
            if (!_ffmpeg.HasExited)
                _ffmpeg.Kill();
        }

        _ffmpeg.Dispose();
    }

    private Process Start()
    {
        string[] command =
        [
            _program, "-hide_banner", "-nostdin", "-loglevel", "error", "-y", "-f", "yuv4mpegpipe", "-i", "pipe:0",
            "-c:v", "libx264", "-preset", "veryfast", "-crf", "16", "-pix_fmt", "yuv420p", "-color_range", "tv",
            "-colorspace", "smpte170m", "-color_primaries", "smpte170m", "-color_trc", "smpte170m",
            "-movflags", "+faststart", "-f", "mp4", "file:" + _path,
        ];
        // In a session of its own, where Ctrl-C on the terminal does not reach it: it must live until the last frame is written.
        if (OperatingSystem.IsLinux() && Find("setsid") is { } apart)
            command = [apart, .. command];
        var process = Process.Start(new ProcessStartInfo(command[0], command[1..]) { RedirectStandardInput = true, RedirectStandardError = true })!;
        process.ErrorDataReceived += (_, line) => Keep(line.Data);
        process.BeginErrorReadLine();
        return process;
    }

    private static string? Find(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            .Select(folder => Path.Combine(folder, OperatingSystem.IsWindows() ? program + ".exe" : program))
            .FirstOrDefault(File.Exists);

    private void Keep(string? line)
    {
        if (string.IsNullOrWhiteSpace(line))
            return;
        lock (_errors)
        {
            if (_errors.Count == ErrorLines)
                _errors.Dequeue();
            _errors.Enqueue(line.Trim());
        }
    }

    private string Failure()
    {
        lock (_errors)
            return $"{Name}: ffmpeg ended with code {_ffmpeg!.ExitCode}: {(_errors.Count == 0 ? "it gave no reason" : string.Join("; ", _errors))}";
    }
}
