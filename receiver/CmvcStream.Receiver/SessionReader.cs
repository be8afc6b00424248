using System.Diagnostics;
using CmvcStream.Core.Control;
using CmvcStream.Core.Media;
using CmvcStream.Protos;
using CmvcStream.Receiver.Regenerate;
using CmvcStream.Transport;

namespace CmvcStream.Receiver;

/// <summary>Holds the conversation over one connection: what the sender says is handed on, reports and requests are sent back.</summary>
/// <param name="session">The sender.</param>
/// <param name="scene">Says what was decoded, and what is missing.</param>
/// <param name="state">Is told what was sent.</param>
/// <param name="take">Takes each message.</param>
internal sealed class SessionReader(ISession<ReceiverMessage, SenderMessage> session, SceneReader scene, ReceiverState state, Action<SenderMessage> take)
{
    /// <summary>A request that was not answered is made again after this.</summary>
    private static readonly MediaTime RequestAgain = MediaTime.FromSeconds(2);

    private readonly ReportSchedule _reports = new();
    private readonly long _began = Stopwatch.GetTimestamp();
    private MediaTime? _requested;

    private MediaTime Now => new(Stopwatch.GetElapsedTime(_began).Ticks / TimeSpan.TicksPerMicrosecond);

    public Task GreetAsync(Welcome welcome, CancellationToken cancellationToken) => SendAsync(new() { Welcome = welcome }, cancellationToken);

    /// <summary>Reads until the sender has said all.</summary>
    public async Task ReadAsync(IAsyncEnumerator<SenderMessage> messages, CancellationToken cancellationToken)
    {
        while (true)
        {
            _reports.Arrived(Now, messages.Current);
            take(messages.Current);
            await AnswerAsync(cancellationToken);
            var next = messages.MoveNextAsync().AsTask();
            while (!next.IsCompleted && _reports.Due is { } due)
            {
                var wait = TimeSpan.FromMilliseconds(Math.Max(1, Math.Ceiling((due - Now).Milliseconds)));
                if (await Task.WhenAny(next, Task.Delay(wait, cancellationToken)) != next)
                    await AnswerAsync(cancellationToken);
            }

            if (!await next)
                return;
        }
    }

    private async Task AnswerAsync(CancellationToken cancellationToken)
    {
        var now = Now;
        var message = new ReceiverMessage { Report = _reports.Take(now, scene.LastDecoded, state.Presented, state.Held) };
        if (!scene.Broken)
            _requested = null;
        else if (_requested is null || now - _requested > RequestAgain)
            (_requested, message.KeyframeRequest) = (now, new() { Reason = "a keyframe is missing or damaged", Intra = scene.NeedsIntra });
        if (message.Report is not null || message.KeyframeRequest is not null)
            await SendAsync(message, cancellationToken);
    }

    private Task SendAsync(ReceiverMessage message, CancellationToken cancellationToken)
    {
        state.Sent.Count(message);
        return session.SendAsync(message, cancellationToken);
    }
}
