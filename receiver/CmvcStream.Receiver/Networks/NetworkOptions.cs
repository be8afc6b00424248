using CmvcStream.Inference;

namespace CmvcStream.Receiver.Networks;

/// <summary>Which networks regenerate, and on what.</summary>
public sealed record NetworkOptions
{
    /// <summary>The largest that this machine runs in time.</summary>
    public const string Auto = "auto";

    /// <summary>Without networks.</summary>
    public const string None = "none";

    /// <summary><see cref="Auto"/>, <see cref="None"/>, or the name of one for each role, separated by commas; a role that is not named does without.</summary>
    public string Network { get; init; } = Auto;

    /// <summary>Folder of a model pack; null: the built-in one.</summary>
    public string? Models { get; init; }

    /// <summary>File or name of what makes a network fit the camera; null: none.</summary>
    public string? Adapter { get; init; }

    /// <summary>What runs them; null: the best that is there.</summary>
    public ExecutionProvider? Provider { get; init; }
}
