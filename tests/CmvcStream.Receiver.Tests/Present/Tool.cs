using System.Diagnostics;

namespace CmvcStream.Receiver.Tests.Present;

/// <summary>Runs a program of the machine, such as ffprobe, to judge what we write.</summary>
internal static class Tool
{
    public static void SkipWithout(string program)
    {
        var found = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(folder => File.Exists(Path.Combine(folder, program)));
        Assert.SkipUnless(found, $"{program} is not installed");
    }

    public static async Task<byte[]> RunAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var errors = process.StandardError.ReadToEndAsync();
        using var output = new MemoryStream();
        await process.StandardOutput.BaseStream.CopyToAsync(output);
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, $"{program} ended with {process.ExitCode}: {await errors}");
        return output.ToArray();
    }

    public static async Task<string> TextAsync(string program, params string[] arguments) =>
        System.Text.Encoding.UTF8.GetString(await RunAsync(program, arguments)).Trim();
}
