using CmvcStream.Grpc.Tests.Protos;
using Google.Protobuf;
using Grpc.Core;

namespace CmvcStream.Grpc.Tests.Support;

/// <summary>What the calls of one server have in common.</summary>
internal sealed class EchoState
{
    private int _cancelled;

    public int Cancelled => Volatile.Read(ref _cancelled);

    public void CountCancelled() => Interlocked.Increment(ref _cancelled);
}

/// <summary>echo.proto as its comments say.</summary>
internal sealed class EchoService(EchoState state) : Echo.EchoBase
{
    public override async Task<EchoReply> Unary(EchoRequest request, ServerCallContext context)
    {
        await BeginAsync(context);
        await SleepAsync(request, context);
        FailAsAsked(request);
        return Reply(request, 0);
    }

    public override async Task<EchoReply> Collect(IAsyncStreamReader<EchoRequest> requestStream, ServerCallContext context)
    {
        await BeginAsync(context);
        var (text, length) = ("", 0);
        await foreach (var request in requestStream.ReadAllAsync())
        {
            FailAsAsked(request);
            text += request.Text;
            length += request.Payload.Length;
        }

        return new EchoReply { Text = text, Index = (uint)length };
    }

    public override async Task Expand(EchoRequest request, IServerStreamWriter<EchoReply> responseStream, ServerCallContext context)
    {
        await BeginAsync(context);
        await SleepAsync(request, context);
        for (uint i = 0; i < request.Repeat; i++)
            await responseStream.WriteAsync(Reply(request, i));
        FailAsAsked(request);
    }

    public override async Task Chat(
        IAsyncStreamReader<EchoRequest> requestStream, IServerStreamWriter<EchoReply> responseStream, ServerCallContext context)
    {
        await BeginAsync(context);
        try
        {
            for (uint i = 0; await requestStream.MoveNext(context.CancellationToken); i++)
            {
                await SleepAsync(requestStream.Current, context);
                FailAsAsked(requestStream.Current);
                await responseStream.WriteAsync(Reply(requestStream.Current, i));
            }
        }
        catch (OperationCanceledException) when (context.CancellationToken.IsCancellationRequested)
        {
            state.CountCancelled();
            throw;
        }
    }

    private static async Task BeginAsync(ServerCallContext context)
    {
        foreach (var entry in context.RequestHeaders.GetAll("x-echo-bin"))
            context.ResponseTrailers.Add(entry);
        if (context.RequestHeaders.GetValue("x-echo") is { } echo)
            await context.WriteResponseHeadersAsync(new Metadata { { "x-echo", echo } });
    }

    private static void FailAsAsked(EchoRequest request)
    {
        if (request.Crash)
            throw new InvalidOperationException("crashed as asked");
        if (request.FailWith != 0)
            throw new RpcException(new Status((StatusCode)request.FailWith, request.Text), new Metadata { { "x-why", "asked" } });
    }

    private async Task SleepAsync(EchoRequest request, ServerCallContext context)
    {
        if (request.SleepMs == 0)
            return;
        try
        {
            await Task.Delay((int)request.SleepMs, context.CancellationToken);
        }
        catch (OperationCanceledException) when (!context.Method.EndsWith("/Chat", StringComparison.Ordinal))
        {
            state.CountCancelled();
            throw;
        }
    }

    private EchoReply Reply(EchoRequest request, uint index) => request.CountCancelled
        ? new EchoReply { Index = (uint)state.Cancelled }
        : new EchoReply
        {
            Text = request.Text,
            Index = index,
            Payload = request.ReplySize > 0 ? ByteString.CopyFrom(new byte[request.ReplySize]) : request.Payload,
        };
}
