namespace CmvcStream.Receiver.Tests.Viewer;

public sealed class ChromiumTests() : BrowserTests(Chromium.Instance);
