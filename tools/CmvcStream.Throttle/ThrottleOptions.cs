using CmvcStream.Core.Control;
using CmvcStream.Core.Media;

namespace CmvcStream.Throttle;

/// <summary>What to relay, and the link to put in between.</summary>
/// <param name="Listen">Where connections are accepted; port 0 takes any free one.</param>
/// <param name="To">Where each of them is connected on to.</param>
/// <param name="Link">Each direction is a link of its own of this kind; the direction back has the next seed.</param>
public sealed record ThrottleOptions(HostPort Listen, HostPort To, LinkSettings Link)
{
    /// <summary>Whether datagrams to the same port are relayed as well.</summary>
    public bool Udp { get; init; }

    /// <summary>A UDP client that neither side has heard of for so long is forgotten.</summary>
    public MediaTime UdpIdle { get; init; } = MediaTime.FromSeconds(120);

    /// <summary>Where the link can be looked at and changed over HTTP; null is nowhere.</summary>
    public HostPort? Control { get; init; }

    /// <summary>Where statistics are written; null is nowhere.</summary>
    public string? StatsFile { get; init; }

    /// <summary>How long to run; null is until stopped.</summary>
    public MediaTime? For { get; init; }
}

/// <summary>The relay cannot start or go on; the message is for the user.</summary>
public sealed class ThrottleException : Exception
{
    public ThrottleException(string message) : base(message) { }

    public ThrottleException(string message, Exception inner) : base(message, inner) { }

    public ThrottleException() { }
}
