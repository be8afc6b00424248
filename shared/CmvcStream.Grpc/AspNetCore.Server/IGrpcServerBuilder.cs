using Microsoft.Extensions.DependencyInjection;

namespace Grpc.AspNetCore.Server;

/// <summary>The services to which gRPC was added.</summary>
public interface IGrpcServerBuilder
{
    IServiceCollection Services { get; }
}
