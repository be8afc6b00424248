using Microsoft.ML.OnnxRuntime;

namespace CmvcStream.Inference;

/// <summary>What runs networks.</summary>
public enum ExecutionProvider
{
    Cpu,
    Cuda,
}

/// <summary>Chooses what runs networks.</summary>
public static class ExecutionProviders
{
    /// <summary>As people and command lines call it.</summary>
    public static string Word(this ExecutionProvider provider) => provider == ExecutionProvider.Cuda ? "CUDA" : "the CPU";

    private const string Cuda = "CUDAExecutionProvider";

    /// <summary>CUDA where ONNX Runtime has it and it starts, unless the CPU was asked for; else the CPU, and why CUDA is not used is reported.</summary>
    /// <param name="asked">What the user wants; null: the best that is there.</param>
    /// <param name="report">Takes a message for the user.</param>
    public static ExecutionProvider Choose(ExecutionProvider? asked, Action<string> report)
    {
        ArgumentNullException.ThrowIfNull(report);
        if (asked == ExecutionProvider.Cpu)
            return ExecutionProvider.Cpu;
        try
        {
            var available = OrtEnv.Instance().GetAvailableProviders();
            if (!available.Contains(Cuda))
            {
                if (asked == ExecutionProvider.Cuda)
                    report($"networks run on the CPU: this ONNX Runtime has no CUDA, only {string.Join(", ", available)}; docs/models.md says how to get one that has");
                return ExecutionProvider.Cpu;
            }

            using var options = new SessionOptions();
            options.AppendExecutionProvider_CUDA();
            return ExecutionProvider.Cuda;
        }
        catch (OnnxRuntimeException e)
        {
            report($"networks run on the CPU, for CUDA does not start: {e.Message}");
            return ExecutionProvider.Cpu;
        }
        catch (Exception e) when ((e.InnerException ?? e) is DllNotFoundException)
        {
            return ExecutionProvider.Cpu;                  // opening a model says what is missing
        }
    }
}
