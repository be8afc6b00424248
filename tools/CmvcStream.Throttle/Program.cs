using CmvcStream.Throttle;

return await ThrottleCommand.RunAsync(args, Console.Out, Console.Error);
