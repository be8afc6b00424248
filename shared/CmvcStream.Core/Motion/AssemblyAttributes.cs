using System.Runtime.CompilerServices;

// The tests compare each kernel with its scalar twin, the benchmarks time them: neither belongs to the public surface.
[assembly: InternalsVisibleTo("CmvcStream.Core.Tests")]
[assembly: InternalsVisibleTo("CmvcStream.Benchmarks")]
