using CmvcStream.Codecs.Av1;
using CmvcStream.Core.Codec;

namespace CmvcStream.Codecs.Tests;

public sealed class NativeLibrariesTests
{
    [Fact]
    public void Load_MissingLibrary_SaysWhichAndWhatToDo()
    {
        var e = Assert.Throws<CodecException>(() => NativeLibraries.Load(["libnot-there.so.7", "libnot-there.so"], typeof(AomKeyframeEncoder).Assembly, null, "Do this"));
        Assert.StartsWith("libnot-there.so.7 cannot be loaded. Do this. (", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_NotALibrary_SaysWhichAndWhatToDo()
    {
        var file = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        File.WriteAllText(file, "not a library");
        try
        {
            var e = Assert.Throws<CodecException>(() => NativeLibraries.Load([file], typeof(AomKeyframeEncoder).Assembly, null, "Do this"));
            Assert.StartsWith($"{file} cannot be loaded. Do this. (", e.Message, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public void Check_OtherInterface_AsksToRebuild()
    {
        var e = Assert.Throws<CodecException>(() => AomNative.Check(AomNative.Abi + 1, 0x030600, 0x030600));
        Assert.Contains("rebuild with ./cmvc setup", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Check_OlderLibaomAtRunTime_NamesBothVersions()
    {
        var e = Assert.Throws<CodecException>(() => AomNative.Check(AomNative.Abi, 0x030600, 0x030300));
        Assert.Equal("libaom at run time is 3.3.0, built against 3.6.0: rebuild with ./cmvc setup", e.Message);
    }

    [Fact]
    public void Check_OtherPatchOrNewerLibaom_IsAccepted()
    {
        AomNative.Check(AomNative.Abi, 0x030601, 0x030600);
        AomNative.Check(AomNative.Abi, 0x030600, 0x030800);
    }

    [Fact]
    public void BuiltAgainst_ThisMachine_IsKnown() => Assert.InRange(AomNative.BuiltAgainst(), 0x030000, AomNative.RuntimeVersion() | 0xFF);
}
