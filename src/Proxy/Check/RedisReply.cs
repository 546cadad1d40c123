namespace KeyEvt.Proxy.Check;

/// <summary>One reply of a Redis, read whole: a text, an error text, or items. RESP2 has no more kinds that matter here.</summary>
internal sealed record RedisReply(bool IsError, string Text, IReadOnlyList<RedisReply> Items)
{
    public bool Begins(string code) => IsError && Text.StartsWith(code, StringComparison.Ordinal);

    /// <summary>The command is not allowed to this user.</summary>
    public bool IsRefused => Begins("NOPERM");

    /// <summary>The command does not exist here: renamed away, or a managed Redis.</summary>
    public bool IsUnknownCommand => Begins("ERR unknown command");
}
