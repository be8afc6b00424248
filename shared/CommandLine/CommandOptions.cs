using System.CommandLine;
using CmvcStream.Core.Media;

namespace CmvcStream.CommandLine;

/// <summary>Options whose values are read by our own parsers; compiled into each program.</summary>
internal static class CommandOptions
{
    /// <summary>An option whose parser's complaint becomes the error that the user sees.</summary>
    public static Option<T> Value<T>(string name, string example, Func<string, T> parse, string description, bool required = false) => new(name)
    {
        HelpName = example,
        Description = description,
        Required = required,
        CustomParser = result =>
        {
            try
            {
                return parse(result.Tokens.Single().Value);
            }
            catch (FormatException e)
            {
                result.AddError($"{name}: {e.Message}");
                return default;
            }
        },
    };

    /// <summary>An address of the other end.</summary>
    /// <exception cref="FormatException">No http: or https: URL; the message gives <paramref name="example"/>.</exception>
    public static Uri ParseUrl(string text, string example) => Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme is "http" or "https"
        ? url
        : throw new FormatException($"'{text}' is no address: write for example {example}");

    /// <summary>A whole number of frames a second.</summary>
    /// <exception cref="FormatException">No number, or not within 1 to <paramref name="most"/>.</exception>
    public static FrameRate ParseFps(string text, int most) => int.TryParse(text, out var fps) && fps >= 1 && fps <= most
        ? FrameRate.PerSecond(fps)
        : throw new FormatException($"'{text}' is no frame rate: a whole number from 1 to {most}");

    /// <summary>How long to run.</summary>
    /// <exception cref="FormatException">No time, zero, or more than ten days.</exception>
    public static MediaTime ParseLimit(string text) => Duration.Parse(text) is { Microseconds: > 0 } time && time <= MediaTime.FromSeconds(1e6)
        ? time
        : throw new FormatException($"'{text}' is no time to run for: write for example 30s; at most ten days");

    /// <summary>Tells what is wrong with the command line; the result is the exit code.</summary>
    public static int Refuse(string program, TextWriter error, IEnumerable<string> messages)
    {
        foreach (var message in messages)
            error.WriteLine($"{program}: {message}");
        error.WriteLine($"{program}: --help shows what there is");
        return 2;
    }
}
