using Xunit.Sdk;
using Xunit.v3;

// Real programs, measured in real time: one at a time.
[assembly: Parallelization(Mode = ParallelMode.None)]
