using CmvcStream.Protos;

namespace CmvcStream.Transport;

/// <summary>The version of what crosses the wire. Majors must match; a newer minor adds fields that older ends skip.</summary>
public static class ProtocolVersions
{
    public static ProtocolVersion Current => new() { Major = 2, Minor = 0 };

    /// <returns>Null, or why the two cannot talk.</returns>
    public static string? WhyIncompatible(ProtocolVersion? theirs) => theirs switch
    {
        null => "the other end did not say which protocol version it speaks",
        { Major: var major } when major != Current.Major =>
            $"the other end speaks protocol version {major}.{theirs.Minor}, this one {Current.Major}.{Current.Minor}: "
            + "use the same release of CmvcStream at both ends",
        _ => null,
    };
}
