using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using CmvcStream.Core.Codec;
using CmvcStream.Core.Media;

namespace CmvcStream.Codecs.Jpeg;

/// <summary>Encodes pictures as JPEG (4:2:0, full range) with libturbojpeg, for the viewer. One thread at a time.</summary>
public sealed unsafe partial class JpegEncoder : IDisposable
{
    private const int Subsampling420 = 2;

    // Fastest integer transform is good enough only below quality 90 or so; the accurate one costs a few percent.
    private const int FlagNoRealloc = 1024;
    private const int FlagAccurateDct = 4096;

    private nint _compressor;
    private VideoFrame? _full;
    private byte[] _output = [];

    /// <exception cref="CodecException">libturbojpeg is missing.</exception>
    public JpegEncoder()
    {
        try
        {
            _compressor = InitCompress();
        }
        catch (EntryPointNotFoundException e)
        {
            throw new CodecException("libturbojpeg is too old: version 1.4 or later is needed", e);
        }

        if (_compressor == 0)
            throw new CodecException($"libturbojpeg does not start: {Error()}");
    }

    /// <summary>Writes one JPEG; allocates only when pictures get larger than any before.</summary>
    /// <param name="frame">Any size.</param>
    /// <param name="quality">1 (worst) to 100.</param>
    /// <param name="output">Is advanced by the bytes written.</param>
    /// <returns>Bytes written.</returns>
    /// <exception cref="CodecException">libturbojpeg refused; the message says why.</exception>
    public int Encode(VideoFrame frame, int quality, IBufferWriter<byte> output)
    {
        ObjectDisposedException.ThrowIf(_compressor == 0, this);
        ArgumentNullException.ThrowIfNull(frame);
        ArgumentNullException.ThrowIfNull(output);
        if (quality is < 1 or > 100)
            throw new ArgumentOutOfRangeException(nameof(quality), quality, "JPEG quality is 1 to 100");

        var full = ToFullRange(frame);
        var bound = (int)BufferSize(frame.Size.Width, frame.Size.Height, Subsampling420);
        if (_output.Length < bound)
            _output = GC.AllocateUninitializedArray<byte>(bound, pinned: true);

        var planes = stackalloc byte*[3] { Address(full.Y), Address(full.U), Address(full.V) };
        var strides = stackalloc int[3] { full.Y.Stride, full.U.Stride, full.V.Stride };
        fixed (byte* start = _output)
        {
            var to = start;
            var size = new CULong((nuint)bound);
            var code = CompressFromYuvPlanes(
                _compressor, planes, frame.Size.Width, strides, frame.Size.Height, Subsampling420, &to, &size, quality, FlagNoRealloc | FlagAccurateDct);
            if (code != 0)
                throw new CodecException($"JPEG of {frame.Size}: {Error()}");
            var written = (int)size.Value;
            output.Write(_output.AsSpan(0, written));
            return written;
        }
    }

    public void Dispose()
    {
        if (_compressor != 0)
            _ = Destroy(_compressor);
        _compressor = 0;
    }

    private VideoFrame ToFullRange(VideoFrame frame)
    {
        if (_full?.Size != frame.Size)
            _full = VideoFrame.Allocate(frame.Size);
        for (var y = 0; y < frame.Y.Height; y++)
            FullRange.Luma(frame.Y.Row(y), _full.Y.Row(y));
        for (var y = 0; y < frame.U.Height; y++)
        {
            FullRange.Chroma(frame.U.Row(y), _full.U.Row(y));
            FullRange.Chroma(frame.V.Row(y), _full.V.Row(y));
        }

        return _full;
    }

    private string Error() => Marshal.PtrToStringUTF8((nint)GetErrorText(_compressor)) ?? "no reason given";

    private static byte* Address(Plane plane) => (byte*)Unsafe.AsPointer(ref plane.Origin);

    [LibraryImport(NativeLibraries.TurboJpeg, EntryPoint = "tjInitCompress")]
    private static partial nint InitCompress();

    [LibraryImport(NativeLibraries.TurboJpeg, EntryPoint = "tjBufSize")]
    private static partial CULong BufferSizeNative(int width, int height, int subsampling);

    private static nuint BufferSize(int width, int height, int subsampling) => BufferSizeNative(width, height, subsampling).Value;

    [LibraryImport(NativeLibraries.TurboJpeg, EntryPoint = "tjCompressFromYUVPlanes")]
    private static partial int CompressFromYuvPlanes(
        nint handle, byte** planes, int width, int* strides, int height, int subsampling, byte** output, CULong* size, int quality, int flags);

    [LibraryImport(NativeLibraries.TurboJpeg, EntryPoint = "tjGetErrorStr2")]
    private static partial byte* GetErrorText(nint handle);

    [LibraryImport(NativeLibraries.TurboJpeg, EntryPoint = "tjDestroy")]
    private static partial int Destroy(nint handle);
}
