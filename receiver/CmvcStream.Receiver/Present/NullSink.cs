using CmvcStream.Core.Media;

namespace CmvcStream.Receiver.Present;

/// <summary>Takes frames and forgets them.</summary>
public sealed class NullSink : IFrameSink
{
    public string Name => "null:";

    public void Present(RegeneratedFrame frame) { }

    public Task CompleteAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
