using CmvcStream.Grpc.Tests.Protos;
using CmvcStream.Grpc.Tests.Support;
using Grpc.Core;
using Xunit;

namespace CmvcStream.Grpc.Tests;

/// <summary>What only our own implementation lets a test see.</summary>
public sealed class StandInTests
{
    [Fact]
    public void BindService_GeneratedDefinition_HasAllMethods()
    {
        var definition = Echo.BindService(new EchoService(new EchoState()));
        var binder = new CountingBinder();

        definition.BindService(binder);

        Assert.Equal(["Unary", "Collect", "Expand", "Chat"], binder.Names);
    }

    private sealed class CountingBinder : ServiceBinderBase
    {
        public List<string> Names { get; } = [];

        public override void AddMethod<TRequest, TResponse>(
            Method<TRequest, TResponse> method, UnaryServerMethod<TRequest, TResponse>? handler) => Names.Add(method.Name);

        public override void AddMethod<TRequest, TResponse>(
            Method<TRequest, TResponse> method, ClientStreamingServerMethod<TRequest, TResponse>? handler) => Names.Add(method.Name);

        public override void AddMethod<TRequest, TResponse>(
            Method<TRequest, TResponse> method, ServerStreamingServerMethod<TRequest, TResponse>? handler) => Names.Add(method.Name);

        public override void AddMethod<TRequest, TResponse>(
            Method<TRequest, TResponse> method, DuplexStreamingServerMethod<TRequest, TResponse>? handler) => Names.Add(method.Name);
    }
}
