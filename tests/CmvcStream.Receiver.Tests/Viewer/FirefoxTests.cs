namespace CmvcStream.Receiver.Tests.Viewer;

public sealed class FirefoxTests() : BrowserTests(Firefox.Instance);
