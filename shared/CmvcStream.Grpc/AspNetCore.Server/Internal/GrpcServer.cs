using Grpc.Core;
using Grpc.Core.Internal;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Patterns;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Grpc.AspNetCore.Server.Internal;

/// <summary>Serves calls: checks that a request is gRPC, runs its handler against the deadline and ends it with a status.</summary>
internal sealed class GrpcServer(IOptions<GrpcServiceOptions> options, ILoggerFactory loggers)
{
    private readonly ILogger _logger = loggers.CreateLogger("Grpc.AspNetCore.Server");
    private bool _unknownServicesMapped;

    public GrpcServiceOptions Options => options.Value;

    /// <summary>Answers calls of services that nobody has mapped; once an application.</summary>
    public void MapUnknownServices(IEndpointRouteBuilder builder)
    {
        if (_unknownServicesMapped || Options.IgnoreUnknownServices == true)
            return;
        _unknownServicesMapped = true;
        MapUnimplemented(builder, "{unknownService}/{unknownMethod}", "unknownService", "The service is not implemented.");
    }

    /// <summary>Answers gRPC calls that match the pattern with status Unimplemented; other requests it leaves alone.</summary>
    public IEndpointConventionBuilder MapUnimplemented(IEndpointRouteBuilder builder, string pattern, string constrained, string detail) =>
        builder.Map(
            RoutePatternFactory.Parse(pattern, null, new RouteValueDictionary { [constrained] = new GrpcRequestConstraint() }),
            context => HandleAsync(context, _ => throw new RpcException(new Status(StatusCode.Unimplemented, detail))))
            .WithMetadata(new HttpMethodMetadata([HttpMethods.Post]))
            .WithDisplayName($"gRPC - Unimplemented {pattern}");

    /// <summary>Serves one call. Never throws: what goes wrong becomes the call's status.</summary>
    public async Task HandleAsync(HttpContext context, Func<ServerCall, Task> serve)
    {
        if (!IsGrpc(context))
            return;

        // A call may be quiet for as long as it likes, and long: it is no slow upload of a file.
        if (context.Features.Get<IHttpMinRequestBodyDataRateFeature>() is { } rate)
            rate.MinDataRate = null;
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
            size.MaxRequestBodySize = null;

        await using var call = new ServerCall(context, Options);
        var handler = RunHandlerAsync(call, serve);
        if (await Task.WhenAny(handler, call.DeadlinePassed) != handler)
        {
            GrpcLog.DeadlinePassed(_logger, call.Method, call.Timeout!.Value);
            await call.EndAtDeadlineAsync();
        }

        // The request's objects belong to the handler until it returns.
        await call.EndAsync(await handler);
    }

    private bool IsGrpc(HttpContext context)
    {
        if (!GrpcHeaders.IsGrpcContentType(context.Request.ContentType))
            return Refuse(context, StatusCodes.Status415UnsupportedMediaType, "the content type is not application/grpc");
        if (HttpProtocol.IsHttp2(context.Request.Protocol) || HttpProtocol.IsHttp3(context.Request.Protocol))
            return true;
        context.Response.Headers.Upgrade = "h2c";
        return Refuse(context, StatusCodes.Status426UpgradeRequired, "gRPC needs HTTP/2");
    }

    private bool Refuse(HttpContext context, int httpStatus, string reason)
    {
        GrpcLog.RequestRefused(_logger, context.Request.Path, httpStatus, reason);
        context.Response.StatusCode = httpStatus;
        return false;
    }

    private async Task<Status> RunHandlerAsync(ServerCall call, Func<ServerCall, Task> serve)
    {
        try
        {
            call.ReadRequestHead();
            await serve(call);
            return call.Status;
        }
        catch (RpcException e)
        {
            foreach (var entry in e.Trailers)
                call.ResponseTrailers.Add(entry);
            GrpcLog.CallFailed(_logger, call.Method, e.Status.ToString());
            return e.Status;
        }
        catch (Exception) when (call.IsDeadlinePassed)
        {
            return ServerCall.DeadlineStatus;
        }
        catch (Exception) when (call.CancellationToken.IsCancellationRequested)
        {
            return Status.DefaultCancelled;
        }
        catch (Exception e)
        {
            GrpcLog.HandlerThrew(_logger, e, call.Method);
            return new Status(StatusCode.Unknown, Options.EnableDetailedErrors == true
                ? $"Exception was thrown by handler. {e.GetType().Name}: {e.Message}"
                : "Exception was thrown by handler.");
        }
    }

    /// <summary>Matches requests that say they are gRPC, so that the rest of the application keeps its own.</summary>
    private sealed class GrpcRequestConstraint : IRouteConstraint
    {
        public bool Match(
            HttpContext? httpContext, IRouter? route, string routeKey, RouteValueDictionary values, RouteDirection routeDirection) =>
            httpContext is not null && GrpcHeaders.IsGrpcContentType(httpContext.Request.ContentType);
    }
}
