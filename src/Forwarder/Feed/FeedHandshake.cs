namespace KeyEvt.Forwarder.Feed;

/// <summary>Who is there, and does it let us in? HELLO 3 with the login, CLIENT SETNAME, INFO.</summary>
/// <remarks>
/// The text of a failed HELLO is shown only where it cannot repeat its arguments: an unknown command's error does, with the password among them.
/// </remarks>
internal sealed class FeedHandshake(FeedContext feed, FeedCommands commands)
{
    private const string TooOld = "this server does not speak RESP3: Redis 6 or later is needed";

    private readonly RedisAddress _address = feed.Options.Address;

    public async Task<NodeIdentity> GreetAsync()
    {
        var hello = await (_address.Password is null && _address.User is null
            ? commands.AskAsync("HELLO", "3")
            : commands.AskAsync("HELLO", "3", "AUTH", _address.User ?? "default", _address.Password ?? "")).ConfigureAwait(false);
        if (hello.IsError)
            throw new FeedFaultException(Explain(hello));

        feed.Remedies.Set(FeedAspect.Login, null);
        var named = commands.AskAsync("CLIENT", "SETNAME", feed.Options.ClientName);
        var info = commands.AskAsync("INFO");
        await named.ConfigureAwait(false); // a connection without a name works as well
        return Identify(hello, await info.ConfigureAwait(false));
    }

    private FeedFault Explain(FeedReply hello)
    {
        string said = FeedText.Clean(hello.Text, _address.Password);
        switch (hello.ErrorCode)
        {
            case "WRONGPASS":
                return Refuse($"the login as '{_address.User ?? "default"}' is refused: wrong user or password, or the user is off");
            case "NOAUTH":
                return Refuse("the server wants a login: give user and password in the address, redis://user:password@host:port");
            case "NOPERM":
                return Refuse($"the user '{_address.User ?? "default"}' may not HELLO: grant +hello");
            case "DENIED":
                return Refuse("the server is in protected mode: it has no password and takes local connections only");
            case "NOPROTO":
                return Refuse(TooOld);
        }

        if (hello.Text.StartsWith("ERR unknown command", StringComparison.OrdinalIgnoreCase))
            return Refuse(TooOld);
        return new FeedFault(FeedFaultKind.ConnectFailed, $"the server does not let us in: {said}");
    }

    private FeedFault Refuse(string remedy)
    {
        feed.Remedies.Set(FeedAspect.Login, remedy);
        return new FeedFault(FeedFaultKind.Refused, remedy);
    }

    private NodeIdentity Identify(FeedReply hello, FeedReply info)
    {
        if (FeedErrors.IsPassing(info))
            throw new FeedFaultException(FeedFaultKind.ConnectFailed, $"the node is not ready yet: {FeedText.Clean(info.Text)}");

        feed.Remedies.Set(FeedAspect.Eviction, info.IsError ? null : EvictionDanger(info.Text));
        string? runId = info.IsError ? null : InfoText.Find(info.Text, "run_id");
        feed.Remedies.Set(
            FeedAspect.Identity,
            runId is null ? "INFO is refused: grant +info; until then message ids do not name the node" : null);
        return new NodeIdentity(runId ?? "", (info.IsError ? null : InfoText.Find(info.Text, "redis_version")) ?? hello.Find("version") ?? "", hello.Find("mode") == "cluster");
    }

    /// <summary>The fallback storage is a key like any other: what it holds goes with it.</summary>
    private static string? EvictionDanger(string info)
    {
        string? policy = InfoText.Find(info, "maxmemory_policy"), limit = InfoText.Find(info, "maxmemory");
        return policy is not null && policy.StartsWith("allkeys-", StringComparison.Ordinal) && limit is not (null or "0")
            ? $"maxmemory-policy {policy} with maxmemory {limit} may evict the fallback storage and the events in it: use noeviction or a volatile- policy, or accept that"
            : null;
    }
}
