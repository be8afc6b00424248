namespace CmvcStream.Receiver.Tests;

public class SessionSinksTests
{
    [Theory]
    [InlineData("y4m:out.y4m", 1, "y4m:out.y4m")]
    [InlineData("y4m:out.y4m", 2, "y4m:out-2.y4m")]
    [InlineData("mp4:some/folder/a.b.mp4", 3, "mp4:some/folder/a.b-3.mp4")]
    [InlineData("y4m:noextension", 2, "y4m:noextension-2")]
    [InlineData("null:", 2, "null:")]
    [InlineData("hash:", 7, "hash:")]
    public void Numbered_LaterSession_GetsItsOwnFile(string specification, int session, string expected) =>
        Assert.Equal(expected, SessionSinks.Numbered(specification, session));
}
