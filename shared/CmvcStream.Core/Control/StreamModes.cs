using CmvcStream.Protos;

namespace CmvcStream.Core.Control;

public static class StreamModes
{
    /// <summary>"IT2V" or "TT2V", as people and statistics say.</summary>
    public static string Name(this StreamMode mode) => mode == StreamMode.Tt2V ? "TT2V" : "IT2V";
}
