namespace KeyEvt.Simulation.Redis;

/// <summary>notify-keyspace-events: which events does a node send, and how does it show the setting?</summary>
internal sealed class NotifySetting
{
    private const string InA = "g$lshzxetd";

    private readonly HashSet<char> _letters = [];

    public NotifySetting(string letters)
    {
        foreach (var letter in letters)
        {
            if (letter == 'A') _letters.UnionWith(InA);
            else _letters.Add(letter);
        }
    }

    public bool Sends(char letter) => _letters.Contains('E') && _letters.Contains(letter);

    /// <summary>With all letters of A, as Redis shows it: the letter n is left out then.</summary>
    public override string ToString()
    {
        var hasA = InA.All(_letters.Contains);
        return (hasA ? "A" : string.Concat(InA.Where(_letters.Contains))) + string.Concat("KEmn".Where(letter => _letters.Contains(letter) && !(hasA && letter == 'n')));
    }
}
