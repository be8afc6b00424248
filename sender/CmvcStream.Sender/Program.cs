using CmvcStream.Sender;

return await SendCommand.RunAsync(args, Console.Out, Console.Error);
