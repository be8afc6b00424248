using Xunit;

namespace CmvcStream.Sender.Tests;

public class SendCommandTests
{
    [Theory]
    [InlineData("--to", "--source", "synthetic:street")]
    [InlineData("--source", "--to", "http://127.0.0.1:9")]
    [InlineData("--fps", "--source", "synthetic:street", "--to", "http://127.0.0.1:9", "--fps", "0")]
    [InlineData("is no address", "--source", "synthetic:street", "--to", "localhost")]
    [InlineData("'3d'", "--source", "synthetic:street", "--to", "http://127.0.0.1:9", "--mode", "3d")]
    [InlineData("is no time to run for", "--source", "synthetic:street", "--to", "http://127.0.0.1:9", "--for", "0s")]
    [InlineData("is no source", "--source", "clip.mp4", "--to", "http://127.0.0.1:9")]
    public async Task Run_WrongUsage_SaysWhatAndExitsWith2(string says, params string[] args)
    {
        using var error = new StringWriter();

        Assert.Equal(2, await SendCommand.RunAsync(args, TextWriter.Null, error));

        Assert.Contains(says, error.ToString());
    }
}
