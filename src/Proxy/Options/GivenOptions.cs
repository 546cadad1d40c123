namespace KeyEvt.Proxy.Options;

/// <summary>What did one source (command line, environment, file) give? By option name: how the user wrote it, and the values.</summary>
internal sealed class GivenOptions : Dictionary<string, (string Source, IReadOnlyList<string> Values)>
{
    public GivenOptions() : base(StringComparer.Ordinal)
    {
    }
}
