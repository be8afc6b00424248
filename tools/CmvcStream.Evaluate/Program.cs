using CmvcStream.Evaluate;

return await EvaluateCommand.RunAsync(args, Console.Out, Console.Error);
