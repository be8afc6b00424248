using CmvcStream.Receiver;

if (args is ["models", .. var rest])
    return await ModelsCommand.RunAsync(rest, Console.Out, Console.Error);
return await ReceiveCommand.RunAsync(args, Console.Out, Console.Error);
