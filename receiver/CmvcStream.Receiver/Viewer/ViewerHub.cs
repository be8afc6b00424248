using System.Text.Json;

namespace CmvcStream.Receiver.Viewer;

/// <summary>The viewers of the stream: hands them each picture, and the state four times a second and when it changes.</summary>
internal sealed class ViewerHub(ViewerOptions options, IViewerState state, TimeProvider time) : IAsyncDisposable
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(50);
    private const int LooksPerState = 5;
    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _stop = new();
    private ViewerClient[] _clients = [];
    private EncodedPicture? _last;
    private Task? _work;
    private long _skipped;

    /// <summary>A viewer was let in.</summary>
    public event Action? ViewerCame;

    public int Viewers => Volatile.Read(ref _clients).Length;

    /// <summary>Pictures that a viewer did not get because it was still busy with earlier ones, over all viewers.</summary>
    public long Skipped => Interlocked.Read(ref _skipped) + Volatile.Read(ref _clients).Sum(c => c.Skipped);

    public void Start() => _work = Task.Run(TellStateAsync);

    /// <summary>Lets a viewer in; false when there are too many.</summary>
    public bool TryAdd(ViewerClient client)
    {
        lock (_gate)
        {
            if (_stop.IsCancellationRequested || _clients.Length >= options.MaxViewers)
                return false;
            Volatile.Write(ref _clients, [.. _clients, client]);
            if (_last is not null)
                client.Offer(_last.AddReference());
        }

        // Nobody else disposes the client before the caller runs and removes it.
        client.Tell(StateJson());
        ViewerCame?.Invoke();
        return true;
    }

    public void Remove(ViewerClient client)
    {
        lock (_gate)
        {
            Volatile.Write(ref _clients, [.. _clients.Where(c => c != client)]);
            Interlocked.Add(ref _skipped, client.Skipped);
            if (_clients.Length > 0)
                return;
            _last?.Dispose();
            _last = null;
        }
    }

    /// <summary>Hands a picture to all viewers; takes the caller's reference.</summary>
    public void Publish(EncodedPicture picture)
    {
        lock (_gate)
        {
            foreach (var client in _clients)
                client.Offer(picture.AddReference());
            _last?.Dispose();
            _last = null;
            if (_clients.Length > 0)
                _last = picture;
            else
                picture.Dispose();
        }
    }

    public byte[] StateJson() =>
        JsonSerializer.SerializeToUtf8Bytes(new("state", ViewerSink.UnixMs(time), Viewers, state.Snapshot()), ViewerJson.Default.StateMessage);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        lock (_gate)
        {
            foreach (var client in _clients)
                client.Stop();
        }

        if (_work is not null)
            await _work.ContinueWith(_ => { }, TaskScheduler.Default);
        lock (_gate)
        {
            _last?.Dispose();
            _last = null;
        }
    }

    private async Task TellStateAsync()
    {
        using var timer = new PeriodicTimer(Look, time);
        object? told = null;
        for (var look = 0; await timer.WaitForNextTickAsync(_stop.Token); look++)
        {
            if (Viewers == 0)
                continue;
            var now = state.Snapshot();
            var gist = (now.Phase, now.Mode, now.Source, now.Trouble, now.Scene);
            if (look % LooksPerState != 0 && gist.Equals(told))
                continue;
            told = gist;
            var json = StateJson();
            lock (_gate)
            {
                foreach (var client in _clients)
                    client.Tell(json);
            }
        }
    }
}
