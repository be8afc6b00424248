namespace Grpc.Core;

/// <summary>A way to one server, over which any number of calls run.</summary>
public abstract class ChannelBase(string target)
{
    /// <summary>Host and port of the server.</summary>
    public string Target { get; } = target ?? throw new ArgumentNullException(nameof(target));

    public abstract CallInvoker CreateCallInvoker();

    /// <summary>Closes the channel; calls in progress are cancelled.</summary>
    public Task ShutdownAsync() => ShutdownAsyncCore();

    protected virtual Task ShutdownAsyncCore() => Task.CompletedTask;
}
