using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using CmvcStream.Core.Codec;

namespace CmvcStream.Codecs;

/// <summary>Finds native libraries, and says what to do where one is missing.</summary>
internal static class NativeLibraries
{
    internal const string Aom = "cmvc_aom";
    internal const string TurboJpeg = "turbojpeg";

    private static readonly string[] AomFiles = ["libcmvc_aom.so"];
    private static readonly string[] TurboJpegFiles = ["libturbojpeg.so.0", "libturbojpeg.so"];

    // CA2255: the resolver must stand before the first call into a library, whoever makes it.
#pragma warning disable CA2255
    [ModuleInitializer]
    internal static void Register() => NativeLibrary.SetDllImportResolver(typeof(NativeLibraries).Assembly, (name, assembly, search) => name switch
    {
        Aom => Load(AomFiles, assembly, search, "It is built with the program and needs libaom: run ./cmvc setup (Debian and Ubuntu: apt-get install gcc libc6-dev libaom-dev)"),
        TurboJpeg => Load(TurboJpegFiles, assembly, search, "The viewer's pictures need it (Debian: apt-get install libturbojpeg0; Ubuntu: apt-get install libturbojpeg)"),
        _ => 0,
    });
#pragma warning restore CA2255

    /// <exception cref="CodecException">None of the files can be loaded; the message names the first, why, and <paramref name="fix"/>.</exception>
    internal static nint Load(string[] files, Assembly assembly, DllImportSearchPath? search, string fix)
    {
        foreach (var file in files)
        {
            if (NativeLibrary.TryLoad(file, assembly, search, out var handle))
                return handle;
        }

        try
        {
            return NativeLibrary.Load(files[0], assembly, search);
        }
        catch (Exception e) when (e is DllNotFoundException or BadImageFormatException)
        {
            throw new CodecException($"{files[0]} cannot be loaded. {fix}. ({Reason(e.Message, files[0])})", e);
        }
    }

    // The runtime lists every path that it tried; the line with the loader's own words about this file is the one that helps.
    private static string Reason(string message, string file) =>
        message.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
            .FirstOrDefault(line => line.Contains("cannot open shared object", StringComparison.Ordinal) && !line.Contains($"{file}: cannot", StringComparison.Ordinal))
        ?? $"{file}: no such file, or not for this machine";
}
