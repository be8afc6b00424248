using CmvcStream.Evaluate.Media;

namespace CmvcStream.Evaluate.Tests;

public class ChildProcessTests
{
    [Fact]
    public async Task RunAsync_ProgramFails_ItsLastWordsAreTheMessage()
    {
        var error = await Assert.ThrowsAsync<EvaluateException>(() => ChildProcess.RunAsync("sh", ["-c", "echo broken >&2; exit 3"]));
        Assert.Equal("sh ended with 3: broken", error.Message);
    }

    [Fact]
    public async Task RunAsync_MissingProgram_SaysWhich()
    {
        var error = await Assert.ThrowsAsync<EvaluateException>(() => ChildProcess.RunAsync("no-such-program", []));
        Assert.Contains("no-such-program", error.Message);
    }
}
