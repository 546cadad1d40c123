namespace KeyEvt.Proxy.Options;

/// <summary>
/// What is one option? Declared once in <see cref="OptionTable"/>; the command line, the environment, the file, --help and docs/options.md follow from it.
/// </summary>
/// <param name="Group">The heading it is listed under.</param>
/// <param name="Name">As on the command line, without the dashes.</param>
/// <param name="ValueName">The placeholder for the value in the help.</param>
/// <param name="Default">Read like a given value; null: there is no default.</param>
/// <param name="Meaning">Short sentences for people, without a line break.</param>
/// <param name="Apply">Puts the given values into the options; or reports a fault and returns the options unchanged.</param>
internal sealed record OptionSpec(OptionGroup Group, string Name, string ValueName, string? Default, string Meaning, OptionSpec.Update<ProxyOptions> Apply)
{
    /// <summary>Puts given values into a record of options; or reports a fault and returns the record unchanged.</summary>
    public delegate T Update<T>(T options, OptionInput input);

    /// <summary>Whether it may be given more than once.</summary>
    public bool Repeatable { get; init; }

    /// <summary>What separates the values of a repeatable option in its environment variable.</summary>
    public char[] Separators { get; init; } = [' ', ',', '\t', '\n', '\r'];

    /// <summary>What the help shows as the default if the text of <see cref="Default"/> says too little.</summary>
    public string? DefaultShown { get; init; }

    /// <summary>The value is a file's name; see <see cref="NamesSecret"/>.</summary>
    public bool NamesFile => ValueName == "file";

    /// <summary>If the value is a file's name: other users should not be able to read the file. Certificates may be read by everybody.</summary>
    public bool NamesSecret => !Name.EndsWith("-cert", StringComparison.Ordinal) && !Name.EndsWith("-ca", StringComparison.Ordinal);

    public string EnvironmentName => "KEYEVT_" + Name.ToUpperInvariant().Replace('-', '_');
}
