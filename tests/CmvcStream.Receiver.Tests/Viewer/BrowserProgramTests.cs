namespace CmvcStream.Receiver.Tests.Viewer;

public sealed class BrowserProgramTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("cmvc-browser-").FullName;

    [Fact]
    public void Runs_UbuntusStub_No() =>
        Assert.False(Browser.Runs(Script("echo \"Command '$0' requires the chromium snap to be installed.\" >&2; exit 1")));

    [Fact]
    public void Runs_WhatSaysItsVersion_Yes() =>
        Assert.True(Browser.Runs(Script("[ \"$1\" = --version ] && echo 'Chromium 140.0'")));

    [Fact]
    public void Runs_WhatIsNotThere_No() => Assert.False(Browser.Runs(Path.Combine(_folder, "missing")));

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private string Script(string text)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "shell scripts");
        var path = Path.Combine(_folder, "chromium-browser");
        File.WriteAllText(path, $"#!/bin/sh\n{text}\n");
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(path, (UnixFileMode)0b111_101_101);
        return path;
    }
}
