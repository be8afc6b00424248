using CmvcStream.Core.Media;
using CmvcStream.Evaluate.Peers;

namespace CmvcStream.Evaluate;

/// <summary>What is to be evaluated.</summary>
internal sealed record EvaluateOptions
{
    /// <summary>Video files, or synthetic:NAME.</summary>
    public required string[] Clips { get; init; }

    /// <summary>kbit/s on the wire.</summary>
    public required double[] Rates { get; init; }

    public required IReadOnlyList<PeerCodec> Against { get; init; }

    /// <summary>Takes the report, the JSON file, and what is kept to go on from.</summary>
    public required string Folder { get; init; }

    public int Seconds { get; init; } = 30;

    public int Skip { get; init; } = 6;

    public int Every { get; init; } = 5;

    public int Fps { get; init; } = 15;

    public PixelSize Box { get; init; } = new(480, 270);

    public string Mode { get; init; } = "it2v";

    /// <summary>What throttle is told beside the rate.</summary>
    public string[] Link { get; init; } = ["--delay", "50ms"];

    /// <summary>--network of the receiver.</summary>
    public string Network { get; init; } = "auto";

    /// <summary>An earlier evaluation whose encodings of the others are taken, in place of making them again.</summary>
    public string? Others { get; init; }

    public string? Lpips { get; init; }

    /// <summary>An ffmpeg with libvmaf; null looks for one.</summary>
    public string? Vmaf { get; init; }

    public string? VmafModel { get; init; }

    /// <summary>Rates of the comparison end to end; none is none.</summary>
    public double[] Live { get; init; } = [];

    /// <summary>Names of the clips of that comparison; none is all.</summary>
    public string[] LiveClips { get; init; } = [];

    /// <summary>An earlier evaluation to compare with.</summary>
    public string? Baseline { get; init; }

    /// <summary>How many times the usual tolerances.</summary>
    public double Tolerance { get; init; } = 1;

    public int Jobs { get; init; } = Environment.ProcessorCount;

    /// <exception cref="FormatException">What is asked for does not go together.</exception>
    public void Validate()
    {
        if (Skip >= Seconds)
            throw new FormatException($"--skip {Skip} leaves nothing of {Seconds} s to score");
        var names = Clips.Select(Media.Sequence.NameOf).ToArray();
        if (names.GroupBy(n => n).FirstOrDefault(g => g.Count() > 1) is { } twice)
            throw new FormatException($"two clips are called {twice.Key}: rename one");
        if (LiveClips.FirstOrDefault(c => !names.Contains(c)) is { } stranger)
            throw new FormatException($"--live-clips: '{stranger}' is none of the clips: {string.Join(", ", names)}");
        if (Others is not null && Live.Length > 0)
            throw new FormatException("--others has the others' encodings only: what runs on a link, end to end (--live), is measured at one time; leave one of the two out");
        if (Against.Count > 0 && Rates.Max() > 64)
            throw new FormatException($"the others are measured up to 64 kbit/s, and {Rates.Max()} is asked for; '--against none' measures ours alone");
    }
}
