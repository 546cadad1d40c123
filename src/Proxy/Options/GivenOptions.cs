namespace KeyEvt.Proxy.Options;

/// <summary>
/// What was given by one source (command line, environment, file)? It maps an option's name to the values, and to the option as the user wrote it.
/// </summary>
internal sealed class GivenOptions : Dictionary<string, (string Source, IReadOnlyList<string> Values)>
{
    public GivenOptions() : base(StringComparer.Ordinal)
    {
    }
}
