using Xunit;

// Real programs, measured in real time: one at a time.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
