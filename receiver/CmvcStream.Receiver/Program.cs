using CmvcStream.Receiver;

return await ReceiveCommand.RunAsync(args, Console.Out, Console.Error);
