using CmvcStream.Core.Control;
using CmvcStream.Core.Media;
using Xunit;

namespace CmvcStream.Core.Tests.Control;

/// <summary>Takes a link's packets out in virtual time.</summary>
internal static class LinkClock
{
    public static MediaTime Ms(double ms) => MediaTime.FromMilliseconds(ms);

    /// <summary>Everything that comes out from a time on, and when; asks at each time that the link names, until it is empty.</summary>
    public static List<(T Payload, MediaTime At)> Drain<T>(this LinkModel<T> link, MediaTime now, MediaTime? until = null)
    {
        var got = new List<(T, MediaTime)>();
        for (var turns = 0; link.NextDelivery is { } due && (until is null || due <= until); turns++)
        {
            Assert.True(turns < 1_000_000, "the link never empties");
            now = due > now ? due : now;
            while (link.TryDeliver(now, out var payload))
                got.Add((payload, now));
        }

        return got;
    }
}
