using CmvcStream.Core.Media;

namespace CmvcStream.Core.Control;

/// <summary>A link that exists, as settings. Where its figures come from, and what is simplified, is in docs/throttle.md.</summary>
/// <param name="Name">What people call it.</param>
/// <param name="Summary">One line about it.</param>
/// <param name="Link">Each direction.</param>
public sealed record LinkPreset(string Name, string Summary, LinkSettings Link)
{
    /// <summary>All that there are.</summary>
    public static IReadOnlyList<LinkPreset> All { get; } =
    [
        new("iridium-2k4", "Iridium dial-up data: 2.4 kbit/s, round trip 1.8 s", new()
        {
            Rate = new(2400), Delay = Ms(900), Jitter = Ms(200), Queue = new(3000),
        }),
        new("hf-radio", "HF serial-tone modem with its short interleaver: 2.4 kbit/s, round trip 2.6 s, fades", new()
        {
            Rate = new(2400), Delay = Ms(1300), Jitter = Ms(100), Loss = 0.02, LossBurst = 3, Queue = new(3000),
        }),
        new("tetra", "TETRA single-slot packet data, low protection: 4.8 kbit/s", new()
        {
            Rate = new(4800), Delay = Ms(400), Jitter = Ms(150), Loss = 0.01, Queue = new(3000),
        }),
        new("certus", "Iridium Certus 100 towards the satellite: 22 kbit/s", new()
        {
            Rate = new(22_000), Delay = Ms(350), Jitter = Ms(100), Loss = 0.005, Queue = new(8000),
        }),
        new("gprs", "GPRS, CS-2 in two slots: 24 kbit/s, round trip 1 s", new()
        {
            Rate = new(24_000), Delay = Ms(500), Jitter = Ms(150), Loss = 0.002, Queue = new(12_000),
        }),
        new("edge", "EDGE, MCS-5 in two slots: 44 kbit/s, round trip 0.3 s", new()
        {
            Rate = new(44_000), Delay = Ms(150), Jitter = Ms(75), Loss = 0.002, Queue = new(16_000),
        }),
        new("lte-fade", "a share of an LTE cell while driving: 30 kbit/s on average, with fades and stalls", new()
        {
            Trace = LinkFading.Driving(new(30_000), seed: 1), Delay = Ms(40), Jitter = Ms(15), Queue = new(16_000),
        }),
    ];

    /// <summary>The preset of a name.</summary>
    /// <exception cref="FormatException">There is none; the message names all.</exception>
    public static LinkPreset Find(string name) => All.FirstOrDefault(p => p.Name == name)
        ?? throw new FormatException($"'{name}' is no preset; there are {string.Join(", ", All.Select(p => p.Name))}");

    private static MediaTime Ms(double ms) => MediaTime.FromMilliseconds(ms);
}

/// <summary>Synthetic traces of a receiver that moves through shadows.</summary>
public static class LinkFading
{
    private const int Seconds = 240, StepsPerSecond = 10;

    /// <summary>
    /// Driving at 50 km/h in a town: shadowing of 8 dB (3GPP TR 36.814, urban macro) that decorrelates over 50 m (Gudmundson, Electronics
    /// Letters 27(23), 1991), around a mean of 6 dB; the rate is what Shannon allows, and nothing below -4 dB, where a terminal would have
    /// lost the cell. Scaled to a mean rate, as if that share of the cell were ours. Repeats after four minutes.
    /// </summary>
    public static LinkTrace Driving(Bitrate mean, int seed)
    {
        const double Metres = 50.0 / 3.6 / StepsPerSecond, Deviation = 8, Median = 6, Lowest = -4;
        var random = new Random(seed);
        var keep = Math.Exp(-Metres / 50);
        var shadow = Deviation * Normal(random);
        var shares = new double[Seconds * StepsPerSecond];
        for (var i = 0; i < shares.Length; i++)
        {
            shadow = (keep * shadow) + (Math.Sqrt(1 - (keep * keep)) * Deviation * Normal(random));
            var decibels = Median + shadow;
            shares[i] = decibels < Lowest ? 0 : Math.Log2(1 + Math.Pow(10, decibels / 10));
        }

        // An opportunity every 5 ms on average, so that even small packets see the shape of the fades.
        const double Opportunities = Seconds * 200;
        var (times, due, total) = (new List<long>(), 0.0, shares.Sum());
        for (var i = 0; i < shares.Length; i++)
        {
            var here = shares[i] / total * Opportunities;
            for (var n = Math.Ceiling(due); n < due + here; n++)
                times.Add((long)((i + ((n - due) / here)) * 100) * 1000);
            due += here;
        }

        times.Add(Seconds * 1_000_000L);
        return LinkTrace.Create([.. times], mean.BytesPerSecond * Seconds / times.Count / LinkTrace.OpportunityBytes);
    }

    private static double Normal(Random random) =>
        Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()); // Box and Muller
}
