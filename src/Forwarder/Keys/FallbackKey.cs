namespace KeyEvt.Forwarder.Keys;

/// <summary>Under which key does the fallback storage live? In database 0 of the upstream (docs/delivery.md).</summary>
public static class FallbackKey
{
    public const string Name = "REDIS_MODULE-key_evt_amqp-fallback_storage";

    public static ReadOnlySpan<byte> Utf8 => "REDIS_MODULE-key_evt_amqp-fallback_storage"u8;

    private static ReadOnlySpan<byte> State => "-state"u8;

    private const string TermSuffix = "-term";

    private static ReadOnlySpan<byte> Term => "-term"u8;

    private static ReadOnlySpan<byte> Config => "-config"u8;

    /// <summary>Under which key the state of the nodes' streams is kept. In a cluster a tag follows.</summary>
    public static string StateOf(string group) => $"{Name}-state:{group}";

    /// <summary>Under which key the configuration of a group is kept.</summary>
    public static string ConfigOf(string group) => $"{Name}-config:{group}";

    /// <summary>The key of a list in a given slot of a cluster: the name with a tag, always the same.</summary>
    public static string In(int slot) => $"{Name}{{{SlotTag.Of(slot)}}}";

    /// <summary>Under which key the term of a list's holder stands: in the list's slot, when the list's name has a tag.</summary>
    /// <param name="group">The group whose holder it is. Two groups that share a list do not shut each other out.</param>
    public static string TermOf(string listName, string group)
    {
        var suffix = $"{TermSuffix}:{group}";
        return listName.IndexOf('{', StringComparison.Ordinal) is >= 0 and var tag ? listName.Insert(tag, suffix) : listName + suffix;
    }

    /// <summary>Whether a key is one of ours: a list, whose name may have a tag behind it that chooses its slot, a state, a term, or a configuration.</summary>
    public static bool Is(ReadOnlySpan<byte> key)
    {
        if (!key.StartsWith(Utf8)) return false;

        var rest = key[Utf8.Length..];
        return rest is [] or [(byte)'{', ..] || IsBehindName(rest);
    }

    /// <summary>Whether it is that of a state, of a term, which is the state of a list, or of a configuration.</summary>
    public static bool IsState(ReadOnlySpan<byte> key) => key.StartsWith(Utf8) && IsBehindName(key[Utf8.Length..]);

    private static bool IsBehindName(ReadOnlySpan<byte> rest) => IsWord(rest, State) || IsWord(rest, Term) || IsWord(rest, Config);

    private static bool IsWord(ReadOnlySpan<byte> rest, ReadOnlySpan<byte> word) => rest.StartsWith(word) && rest[word.Length..] is [] or [(byte)'{' or (byte)':', ..];
}
