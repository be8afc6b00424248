using BenchmarkDotNet.Running;
using CmvcStream.Benchmarks;

// "--filter '*'" times with BenchmarkDotNet; "--check-allocations" runs each hot path a few times and compares with the committed limits.
if (args is ["--check-allocations", ..])
    return AllocationCheck.Run(Path.Combine(AppContext.BaseDirectory, "allocation-limits.json"), Console.Out, Console.Error);
BenchmarkSwitcher.FromAssembly(typeof(MotionBenchmarks).Assembly).Run(args);
return 0;
