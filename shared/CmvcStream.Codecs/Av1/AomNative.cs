using System.Runtime.InteropServices;
using CmvcStream.Core.Codec;

namespace CmvcStream.Codecs.Av1;

/// <summary>The functions of Native/cmvc_aom.c; their comments are there.</summary>
internal static unsafe partial class AomNative
{
    /// <summary>CMVC_AOM_ABI in the C file.</summary>
    internal const int Abi = 3;

    internal const int Ok = 0;
    internal const int AbiMismatch = 2;
    internal const int NoPicture = 3;

    private static bool s_checked;

    /// <summary>Call before anything else.</summary>
    /// <exception cref="CodecException">The library is missing or does not fit.</exception>
    internal static void EnsureUsable()
    {
        if (s_checked)
            return;
        try
        {
            Check(GetAbi(), BuiltAgainst(), RuntimeVersion());
        }
        catch (EntryPointNotFoundException e)
        {
            throw new CodecException("libcmvc_aom.so is not the one that belongs to this program: rebuild with ./cmvc setup", e);
        }

        s_checked = true;
    }

    internal static void Check(int abi, int builtAgainst, int runtime)
    {
        if (abi != Abi)
            throw new CodecException($"libcmvc_aom.so has interface {abi}, this program needs {Abi}: rebuild with ./cmvc setup");
        // A newer patch or minor release of the same ABI works, and libaom refuses another ABI itself; an older one may lack what the headers promised.
        if (builtAgainst != 0 && runtime < (builtAgainst & ~0xFF))
            throw VersionMismatch(builtAgainst, runtime);
    }

    internal static CodecException VersionMismatch(int builtAgainst, int runtime) =>
        new($"libaom at run time is {Text(runtime)}, built against {Text(builtAgainst)}: rebuild with ./cmvc setup");

    internal static CodecException Failure(int code, string stage, byte* error)
    {
        if (code == AbiMismatch)
            return VersionMismatch(BuiltAgainst(), RuntimeVersion());
        var text = code == NoPicture ? "libaom gave no picture" : Marshal.PtrToStringUTF8((nint)error);
        return new($"AV1 {stage}: {(string.IsNullOrEmpty(text) ? $"libaom failed with code {code}" : text)}");
    }

    private static string Text(int version) => version == 0 ? "an unknown version" : $"{version >> 16}.{(version >> 8) & 255}.{version & 255}";

    [LibraryImport(NativeLibraries.Aom, EntryPoint = "cmvc_aom_abi")]
    private static partial int GetAbi();

    [LibraryImport(NativeLibraries.Aom, EntryPoint = "cmvc_aom_built_against")]
    internal static partial int BuiltAgainst();

    [LibraryImport(NativeLibraries.Aom, EntryPoint = "cmvc_aom_runtime_version")]
    internal static partial int RuntimeVersion();

    [LibraryImport(NativeLibraries.Aom, EntryPoint = "cmvc_aom_encoder_open")]
    internal static partial int EncoderOpen(out nint encoder, int width, int height, int cpuUsed, int threads);

    [LibraryImport(NativeLibraries.Aom, EntryPoint = "cmvc_aom_encoder_option", StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int EncoderOption(nint encoder, string name, string value);

    [LibraryImport(NativeLibraries.Aom, EntryPoint = "cmvc_aom_encoder_prime")]
    internal static partial int EncoderPrime(nint encoder);

    [LibraryImport(NativeLibraries.Aom, EntryPoint = "cmvc_aom_encode")]
    internal static partial int Encode(
        nint encoder, byte** planes, int* strides, int width, int height, int quality,
        ReadOnlySpan<byte> slots, int predict, int store, int inherit, out byte* packet, out int packetSize, out int isIntra, out int quantizerIndex);

    [LibraryImport(NativeLibraries.Aom, EntryPoint = "cmvc_aom_encoder_error")]
    internal static partial byte* EncoderError(nint encoder);

    [LibraryImport(NativeLibraries.Aom, EntryPoint = "cmvc_aom_encoder_close")]
    internal static partial void EncoderClose(nint encoder);

    [LibraryImport(NativeLibraries.Aom, EntryPoint = "cmvc_aom_decoder_open")]
    internal static partial int DecoderOpen(out nint decoder, int threads);

    [LibraryImport(NativeLibraries.Aom, EntryPoint = "cmvc_aom_sequence_size")]
    internal static partial int SequenceSize(byte* data, int size, out int width, out int height);

    [LibraryImport(NativeLibraries.Aom, EntryPoint = "cmvc_aom_decode")]
    internal static partial int Decode(nint decoder, byte* data, int size, out int width, out int height, out int stored, out int quantizer);

    [LibraryImport(NativeLibraries.Aom, EntryPoint = "cmvc_aom_copy")]
    internal static partial void Copy(nint decoder, byte** planes, int* strides);

    [LibraryImport(NativeLibraries.Aom, EntryPoint = "cmvc_aom_decoder_error")]
    internal static partial byte* DecoderError(nint decoder);

    [LibraryImport(NativeLibraries.Aom, EntryPoint = "cmvc_aom_decoder_close")]
    internal static partial void DecoderClose(nint decoder);
}
