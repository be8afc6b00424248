using Grpc.AspNetCore.Server.Internal;
using Microsoft.AspNetCore.Http;

namespace Grpc.Core;

/// <summary>From a gRPC call to the HTTP request beneath it.</summary>
public static class ServerCallContextExtensions
{
    /// <exception cref="InvalidOperationException">The context belongs to no HTTP request, for example in a test double.</exception>
    public static HttpContext GetHttpContext(this ServerCallContext serverCallContext) =>
        serverCallContext is ServerCall call ? call.HttpContext
        : throw new InvalidOperationException("This call context belongs to no HTTP request.");
}
