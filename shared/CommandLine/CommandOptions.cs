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
