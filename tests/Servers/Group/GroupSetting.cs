namespace KeyEvt.Servers.Group;

/// <summary>Which proxies stand in front of one Redis? Each default is the plain case.</summary>
public sealed record GroupSetting
{
    /// <summary>One without a group and without a name, as it was before there were groups.</summary>
    public static GroupSetting Lone { get; } = new() { Group = null, Names = ["lone"] };

    /// <summary>Null: no --group and no --instance.</summary>
    public string? Group { get; init; } = "orders";

    /// <summary>Of the members, as they are given to --instance.</summary>
    public IReadOnlyList<string> Names { get; init; } = ["a", "b", "c"];

    /// <summary>Further options of each.</summary>
    public string[] Options { get; init; } = [];

    /// <summary>Further options of one member, by its name.</summary>
    public Func<string, string[]> OptionsOf { get; init; } = static _ => [];

    /// <summary>Another build of the program.</summary>
    public string? File { get; init; }
}
