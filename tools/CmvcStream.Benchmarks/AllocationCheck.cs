using System.Reflection;
using System.Text.Json;
using BenchmarkDotNet.Attributes;

namespace CmvcStream.Benchmarks;

/// <summary>
/// Runs every benchmark method a few times and compares the bytes that it allocates a call with a committed limit. Takes seconds, so it can run
/// with the tests.
/// </summary>
internal static class AllocationCheck
{
    private const int Calls = 20;

    /// <summary>Returns 0 when every benchmark has a limit and keeps it, else 1; what is wrong goes to <paramref name="errors"/>.</summary>
    public static int Run(string limitsFile, TextWriter output, TextWriter errors)
    {
        Dictionary<string, long> limits;
        try
        {
            limits = JsonSerializer.Deserialize<Dictionary<string, long>>(File.ReadAllText(limitsFile)) ?? [];
        }
        catch (Exception e) when (e is IOException or JsonException)
        {
            errors.WriteLine($"cannot read the limits in {limitsFile}: {e.Message}");
            return 1;
        }

        var failed = false;
        foreach (var type in typeof(AllocationCheck).Assembly.GetTypes().Where(t => t.IsPublic && Benchmarks(t).Any()))
        {
            var instance = Activator.CreateInstance(type)!;
            foreach (var method in Benchmarks(type))
            {
                var name = $"{type.Name}.{method.Name}";
                var bytes = Measure(method, instance);
                var known = limits.Remove(name, out var limit);
                var verdict = !known ? "no limit: add one to allocation-limits.json" : bytes > limit ? $"over its limit of {limit}" : "ok";
                failed |= verdict != "ok";
                output.WriteLine($"{name,-45} {bytes,10} bytes a call  {verdict}");
            }
        }

        foreach (var name in limits.Keys)
        {
            errors.WriteLine($"allocation-limits.json has a limit for {name}, which does not exist: remove or rename it");
            failed = true;
        }

        return failed ? 1 : 0;
    }

    private static IEnumerable<MethodInfo> Benchmarks(Type type) => type.GetMethods().Where(m => m.GetCustomAttribute<BenchmarkAttribute>() != null);

    private static long Measure(MethodInfo method, object instance)
    {
        // Calling through a delegate that returns nothing boxes no result.
        var call = (Action)typeof(AllocationCheck).GetMethod(nameof(Caller), BindingFlags.NonPublic | BindingFlags.Static)!
            .MakeGenericMethod(method.ReturnType == typeof(void) ? typeof(int) : method.ReturnType)
            .Invoke(null, [method, instance])!;
        call();
        call();
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var k = 0; k < Calls; k++)
            call();
        return (GC.GetAllocatedBytesForCurrentThread() - before) / Calls;
    }

    private static Action Caller<T>(MethodInfo method, object instance)
    {
        if (method.ReturnType == typeof(void))
            return method.CreateDelegate<Action>(instance);
        var function = method.CreateDelegate<Func<T>>(instance);
        return () => function();
    }
}
