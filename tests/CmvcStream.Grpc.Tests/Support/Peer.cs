using System.Diagnostics;

namespace CmvcStream.Grpc.Tests.Support;

/// <summary>Somebody else's gRPC in a process of its own; the scripts lie in Interop.</summary>
internal sealed class Peer
{
    public static readonly Peer GrpcJs = new(
        ["node"], "grpcjs", ".cjs", [Here("Protos/echo.proto"), Modules()],
        ["-e", $"require({System.Text.Json.JsonSerializer.Serialize(Modules())} + '/@grpc/grpc-js')"],
        "needs node and the packages of package.json (npm ci)");

    // Distributions put their Python packages beside their own interpreter, which may not be the first on the path.
    public static readonly Peer Grpcio = new(
        ["python3", "/usr/bin/python3"], "grpcio", ".py", [], ["-c", "import grpc"], "needs python3 with grpcio (python3-grpcio)");

    private readonly string _name;
    private readonly string _extension;
    private readonly string[] _arguments;
    private readonly string _needs;
    private readonly Lazy<string?> _program;

    private Peer(string[] programs, string name, string extension, string[] arguments, string[] probe, string needs)
    {
        (_name, _extension, _arguments, _needs) = (name, extension, arguments, needs);
        _program = new(() => Array.Find(programs, program => Runs(program, probe)));
    }

    /// <summary>Null where the peer can run.</summary>
    public string? WhyAbsent => _program.Value is null ? $"Interoperability with {_name} {_needs}." : null;

    public override string ToString() => _name;

    public Process Start(string role, params string[] arguments) => StartProcess(
        _program.Value!, [Path.Combine(AppContext.BaseDirectory, "Interop", $"{_name}_{role}{_extension}"), .. _arguments, .. arguments]);

    private static string Here(string file) => Path.Combine(AppContext.BaseDirectory, file);

    // npm ci puts them beside the solution.
    private static string Modules()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, "package.json")))
                return Path.Combine(folder.FullName, "node_modules");
        return "node_modules";
    }

    private static bool Runs(string program, string[] arguments)
    {
        try
        {
            using var process = StartProcess(program, arguments);
            process.StandardError.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false; // no such program
        }
    }

    private static Process StartProcess(string program, string[] arguments)
    {
        var info = new ProcessStartInfo(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        // A proxy of the surroundings has no business between two processes of this machine.
        foreach (var name in (string[])["http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "grpc_proxy"])
            info.Environment.Remove(name);
        info.Environment["PYTHONDONTWRITEBYTECODE"] = "1";
        return Process.Start(info)!;
    }
}

/// <summary>A server of echo.proto on somebody else's gRPC.</summary>
internal sealed class PeerServer : IAsyncDisposable
{
    private readonly Process _process;

    private PeerServer(Process process, string address) => (_process, Address) = (process, address);

    public string Address { get; }

    public static async Task<PeerServer> StartAsync(Peer peer, TestCertificate? certificate = null)
    {
        string[] tls = certificate is null ? [] : [certificate.CertificateFile, certificate.KeyFile];
        var process = peer.Start("server", tls);
        var errors = process.StandardError.ReadToEndAsync();
        var line = await process.StandardOutput.ReadLineAsync();
        if (line?.Split(' ') is not ["port", var port])
            throw new InvalidOperationException($"The {peer} server does not serve: {line} {await errors}");
        return new PeerServer(process, $"{(certificate is null ? "http" : "https")}://127.0.0.1:{port}");
    }

    public async ValueTask DisposeAsync()
    {
        _process.StandardInput.Close();
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(5));
        try
        {
            await _process.WaitForExitAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            _process.Kill();
        }

        _process.Dispose();
    }
}
