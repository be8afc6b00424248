using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Grpc.AspNetCore.Server.Internal;

/// <summary>Makes an endpoint of each method that the generated code of a service lists.</summary>
internal sealed class EndpointServiceBinder<
    [DynamicallyAccessedMembers(
        DynamicallyAccessedMemberTypes.PublicConstructors | DynamicallyAccessedMemberTypes.PublicMethods | DynamicallyAccessedMemberTypes.NonPublicMethods)]
TService>(IEndpointRouteBuilder builder, GrpcServer server) : ServiceBinderBase
    where TService : class
{
    private readonly List<IEndpointConventionBuilder> _endpoints = [];
    private readonly ObjectFactory<TService> _factory = ActivatorUtilities.CreateFactory<TService>([]);
    private string? _serviceName;

    public IReadOnlyList<IEndpointConventionBuilder> Bind()
    {
        var binding = typeof(TService).GetCustomAttribute<BindServiceMethodAttribute>(inherit: true)
            ?? throw new InvalidOperationException($"{typeof(TService)} is no gRPC service: it must derive from a generated service base.");
        // The overload that takes an instance of the service gets none: instances are made per call.
        var bind = binding.BindType.GetMethods(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic).FirstOrDefault(method =>
                method.Name == binding.BindMethodName && method.GetParameters() is [var first, _] && first.ParameterType == typeof(ServiceBinderBase))
            ?? throw new InvalidOperationException($"{binding.BindType} has no {binding.BindMethodName}(ServiceBinderBase, ...).");
        bind.Invoke(null, [this, null]);
        if (_serviceName is not null)
            _endpoints.Add(server.MapUnimplemented(builder, $"{_serviceName}/{{unknownMethod}}", "unknownMethod", "The method is not implemented."));
        return _endpoints;
    }

    public override void AddMethod<TRequest, TResponse>(
        Method<TRequest, TResponse> method, UnaryServerMethod<TRequest, TResponse>? handler)
    {
        var invoke = Handler<Func<TService, TRequest, ServerCallContext, Task<TResponse>>>(
            method, typeof(TRequest), typeof(ServerCallContext));
        Map(method, invoke.Method, async (service, call) =>
        {
            var request = await call.ReadSingleAsync(method.RequestMarshaller);
            await WriteLastAsync(call, method, await invoke(service, request, call));
        });
    }

    public override void AddMethod<TRequest, TResponse>(
        Method<TRequest, TResponse> method, ClientStreamingServerMethod<TRequest, TResponse>? handler)
    {
        var invoke = Handler<Func<TService, IAsyncStreamReader<TRequest>, ServerCallContext, Task<TResponse>>>(
            method, typeof(IAsyncStreamReader<TRequest>), typeof(ServerCallContext));
        Map(method, invoke.Method, async (service, call) =>
            await WriteLastAsync(call, method, await invoke(service, Reader(call, method), call)));
    }

    public override void AddMethod<TRequest, TResponse>(
        Method<TRequest, TResponse> method, ServerStreamingServerMethod<TRequest, TResponse>? handler)
    {
        var invoke = Handler<Func<TService, TRequest, IServerStreamWriter<TResponse>, ServerCallContext, Task>>(
            method, typeof(TRequest), typeof(IServerStreamWriter<TResponse>), typeof(ServerCallContext));
        Map(method, invoke.Method, async (service, call) =>
            await invoke(service, await call.ReadSingleAsync(method.RequestMarshaller), Writer(call, method), call));
    }

    public override void AddMethod<TRequest, TResponse>(
        Method<TRequest, TResponse> method, DuplexStreamingServerMethod<TRequest, TResponse>? handler)
    {
        var invoke = Handler<Func<TService, IAsyncStreamReader<TRequest>, IServerStreamWriter<TResponse>, ServerCallContext, Task>>(
            method, typeof(IAsyncStreamReader<TRequest>), typeof(IServerStreamWriter<TResponse>), typeof(ServerCallContext));
        Map(method, invoke.Method, (service, call) => invoke(service, Reader(call, method), Writer(call, method), call));
    }

    private static Task WriteLastAsync<TRequest, TResponse>(ServerCall call, Method<TRequest, TResponse> method, TResponse response) =>
        call.WriteAsync(response, method.ResponseMarshaller, call.WriteOptions, isLast: true, CancellationToken.None);

    private static RequestStreamReader<TRequest> Reader<TRequest, TResponse>(ServerCall call, Method<TRequest, TResponse> method) =>
        new(call, method.RequestMarshaller);

    private static ResponseStreamWriter<TResponse> Writer<TRequest, TResponse>(ServerCall call, Method<TRequest, TResponse> method) =>
        new(call, method.ResponseMarshaller);

    /// <summary>The service's method as a delegate that takes the instance first. Overrides are reached since the call is virtual.</summary>
    private static TDelegate Handler<TDelegate>(IMethod method, params Type[] parameters)
        where TDelegate : Delegate
    {
        var handler = typeof(TService).GetMethod(
                method.Name, BindingFlags.Instance | BindingFlags.Public, null, parameters, null)
            ?? throw new InvalidOperationException($"{typeof(TService)} has no method {method.Name} with the parameters that {method.FullName} needs.");
        return handler.CreateDelegate<TDelegate>();
    }

    private void Map(IMethod method, MethodInfo handler, Func<TService, ServerCall, Task> serve)
    {
        _serviceName = method.ServiceName;
        var endpoint = builder.MapPost(method.FullName, context => server.HandleAsync(context, call => WithServiceAsync(call, serve)));
        endpoint.WithDisplayName($"gRPC - {method.FullName}");
        // Attributes such as [Authorize] hold for the endpoint.
        endpoint.WithMetadata([.. typeof(TService).GetCustomAttributes(inherit: true), .. handler.GetCustomAttributes(inherit: true)]);
        _endpoints.Add(endpoint);
    }

    private async Task WithServiceAsync(ServerCall call, Func<TService, ServerCall, Task> serve)
    {
        var services = call.HttpContext.RequestServices;
        if (services.GetService<TService>() is { } registered)
        {
            await serve(registered, call);
            return;
        }

        var service = _factory(services, []);
        try
        {
            await serve(service, call);
        }
        finally
        {
            if (service is IAsyncDisposable asyncDisposable)
                await asyncDisposable.DisposeAsync();
            else
                (service as IDisposable)?.Dispose();
        }
    }
}
