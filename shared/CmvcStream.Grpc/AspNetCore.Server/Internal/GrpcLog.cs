using Microsoft.Extensions.Logging;

namespace Grpc.AspNetCore.Server.Internal;

/// <summary>All that the server logs.</summary>
internal static partial class GrpcLog
{
    [LoggerMessage(1, LogLevel.Error, "The handler of {Method} threw: the call ends with status Unknown.")]
    public static partial void HandlerThrew(ILogger logger, Exception exception, string method);

    [LoggerMessage(2, LogLevel.Debug, "{Method} ends with {Status}.")]
    public static partial void CallFailed(ILogger logger, string method, string status);

    [LoggerMessage(3, LogLevel.Debug, "The deadline of {Method} passed after {Timeout}.")]
    public static partial void DeadlinePassed(ILogger logger, string method, TimeSpan timeout);

    [LoggerMessage(4, LogLevel.Debug, "A request to {Path} was refused with HTTP status {HttpStatus}: {Reason}.")]
    public static partial void RequestRefused(ILogger logger, string path, int httpStatus, string reason);
}
