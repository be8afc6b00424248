namespace CmvcStream.Core.Media;

/// <summary>A point or a span of media time, in microseconds.</summary>
public readonly record struct MediaTime(long Microseconds) : IComparable<MediaTime>
{
    public static MediaTime Zero => default;

    public double Seconds => Microseconds / 1e6;

    public double Milliseconds => Microseconds / 1e3;

    public static MediaTime FromSeconds(double seconds) => new((long)Math.Round(seconds * 1e6));

    public static MediaTime FromMilliseconds(double milliseconds) => new((long)Math.Round(milliseconds * 1e3));

    /// <summary>The time of a tick at a tick rate, rounded to the nearest microsecond.</summary>
    public static MediaTime FromTicks(long ticks, FrameRate rate) => new((ticks * 1_000_000L * rate.Scale + rate.Rate / 2) / rate.Rate);

    public int CompareTo(MediaTime other) => Microseconds.CompareTo(other.Microseconds);

    public static MediaTime operator +(MediaTime a, MediaTime b) => new(a.Microseconds + b.Microseconds);

    public static MediaTime operator -(MediaTime a, MediaTime b) => new(a.Microseconds - b.Microseconds);

    public static bool operator <(MediaTime a, MediaTime b) => a.Microseconds < b.Microseconds;

    public static bool operator >(MediaTime a, MediaTime b) => a.Microseconds > b.Microseconds;

    public static bool operator <=(MediaTime a, MediaTime b) => a.Microseconds <= b.Microseconds;

    public static bool operator >=(MediaTime a, MediaTime b) => a.Microseconds >= b.Microseconds;

    public override string ToString() => FormattableString.Invariant($"{Seconds:0.000} s");
}

/// <summary>Frames (or ticks) a second as a fraction, for example 30000/1001.</summary>
public readonly record struct FrameRate(int Rate, int Scale)
{
    public static FrameRate PerSecond(int rate) => new(rate, 1);

    public double Hertz => (double)Rate / Scale;

    public override string ToString() => Scale == 1 ? FormattableString.Invariant($"{Rate}") : FormattableString.Invariant($"{Rate}/{Scale}");
}

/// <summary>A rate of data. 1 kbit/s is 1000 bit/s.</summary>
public readonly record struct Bitrate(long BitsPerSecond)
{
    public double BytesPerSecond => BitsPerSecond / 8.0;

    public double KilobitsPerSecond => BitsPerSecond / 1000.0;

    /// <summary>How long this rate needs for an amount of data.</summary>
    public MediaTime TimeFor(DataSize size) => MediaTime.FromSeconds(size.Bytes / BytesPerSecond);

    /// <summary>How much data this rate carries in a time.</summary>
    public DataSize Over(MediaTime time) => new((long)(BytesPerSecond * time.Seconds));

    /// <summary>Reads "8kbps", "8kbit/s", "1.5Mbps", "800bps" or a bare number of bit/s.</summary>
    /// <exception cref="FormatException">The text is no rate; the message says what is expected.</exception>
    public static Bitrate Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var (number, unit) = UnitText.Split(text);
        double? factor = unit switch { "" or "bps" or "bit/s" => 1, "kbps" or "kbit/s" or "k" => 1e3, "mbps" or "mbit/s" or "m" => 1e6, _ => null };
        if (number is not { } n || factor is not { } f || n < 0 || n * f > 1e12)
            throw new FormatException($"'{text}' is no rate; write for example 8kbps, 2.4kbps or 1Mbps");
        return new((long)Math.Round(n * f));
    }

    public override string ToString() => FormattableString.Invariant($"{KilobitsPerSecond:0.###} kbit/s");
}

/// <summary>An amount of data in bytes. 1 KB is 1000 bytes.</summary>
public readonly record struct DataSize(long Bytes)
{
    public static DataSize Zero => default;

    public static DataSize operator +(DataSize a, DataSize b) => new(a.Bytes + b.Bytes);

    public static DataSize operator -(DataSize a, DataSize b) => new(a.Bytes - b.Bytes);

    /// <summary>Reads "4KB", "64B", "1MB" or a bare number of bytes.</summary>
    /// <exception cref="FormatException">The text is no size; the message says what is expected.</exception>
    public static DataSize Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var (number, unit) = UnitText.Split(text);
        double? factor = unit switch { "" or "b" => 1, "kb" or "k" => 1e3, "mb" or "m" => 1e6, _ => null };
        if (number is not { } n || factor is not { } f || n < 0 || n * f > 1e15)
            throw new FormatException($"'{text}' is no size; write for example 4KB or 1500B");
        return new((long)Math.Round(n * f));
    }

    public override string ToString() => FormattableString.Invariant($"{Bytes} B");
}

/// <summary>Durations as people write them on a command line: 30s, 200ms, 5m, 1h.</summary>
public static class Duration
{
    /// <exception cref="FormatException">The text is no duration; the message says what is expected.</exception>
    public static MediaTime Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var (number, unit) = UnitText.Split(text);
        double? factor = unit switch { "ms" => 1e-3, "" or "s" => 1, "m" or "min" => 60, "h" => 3600, _ => null };
        if (number is not { } n || factor is not { } f || n < 0 || n * f > 1e9)
            throw new FormatException($"'{text}' is no duration; write for example 30s, 200ms or 5m");
        return MediaTime.FromSeconds(n * f);
    }
}

internal static class UnitText
{
    /// <summary>Splits "2.4kbps" into 2.4 and "kbps" (lower case); the number is null when there is none.</summary>
    public static (double? Number, string Unit) Split(string text)
    {
        var t = text.Trim();
        var end = 0;
        while (end < t.Length && (char.IsAsciiDigit(t[end]) || t[end] is '.' or '-' or '+'))
            end++;
        var ok = double.TryParse(t.AsSpan(0, end), System.Globalization.NumberStyles.Float, System.Globalization.CultureInfo.InvariantCulture, out var n);
        return (ok ? n : null, t[end..].Trim().ToLowerInvariant());
    }
}
