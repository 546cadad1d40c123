namespace KeyEvt.Proxy.Options;

/// <summary>
/// What is one option? Declared once in <see cref="OptionTable"/>; the command line, the environment, the file, --help and docs/options.md follow from it.
/// </summary>
/// <param name="Group">The heading it stands under.</param>
/// <param name="Name">As on the command line, without the dashes.</param>
/// <param name="ValueName">What stands for the value in the help.</param>
/// <param name="Default">Read like a given value; null when there is none.</param>
/// <param name="Meaning">Short sentences for people, without a line break.</param>
/// <param name="Apply">Puts the given values into the options, or reports a fault and returns the options as they are.</param>
internal sealed record OptionSpec(OptionGroup Group, string Name, string ValueName, string? Default, string Meaning, OptionSpec.Update<ProxyOptions> Apply)
{
    /// <summary>Puts given values into a record of options, or reports a fault and returns the record as it is.</summary>
    public delegate T Update<T>(T options, OptionInput input);

    /// <summary>May be given more than once.</summary>
    public bool Repeatable { get; init; }

    /// <summary>What separates the values of a repeatable one in its environment variable.</summary>
    public char[] Separators { get; init; } = [' ', ',', '\t', '\n', '\r'];

    /// <summary>What the help shows as the default where the text of <see cref="Default"/> says too little.</summary>
    public string? DefaultShown { get; init; }

    /// <summary>The value is a file's name; see <see cref="NamesSecret"/>.</summary>
    public bool NamesFile => ValueName == "file";

    /// <summary>Of a file: others should not even read it. Certificates are for everybody.</summary>
    public bool NamesSecret => !Name.EndsWith("-cert", StringComparison.Ordinal) && !Name.EndsWith("-ca", StringComparison.Ordinal);

    public string EnvironmentName => "KEYEVT_" + Name.ToUpperInvariant().Replace('-', '_');
}
