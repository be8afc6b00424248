using Grpc.Core;
using Xunit;

namespace CmvcStream.Grpc.Tests.Support;

/// <summary>Which gRPC this build tests: ours, or the official packages (-p:GrpcPackage=official).</summary>
internal static class Implementation
{
    public static bool IsOfficial { get; } = typeof(Metadata).Assembly.GetName().Name == "Grpc.Core.Api";

    /// <summary>Skips the test where the official packages, for the reason given, do otherwise.</summary>
    public static void OursOnly(string why) => Assert.SkipWhen(IsOfficial, $"The official packages do otherwise: {why}");
}
